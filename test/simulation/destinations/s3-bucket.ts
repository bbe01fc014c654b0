import type { Invocation } from '../cloud/environment.ts';
import { damaged, onTheWire, uploadLost } from './line.ts';
import { type Leftover, type ServerSite, type Shelf, secondsNow } from './server.ts';

interface Multipart {
  readonly path: string;
  readonly transferId: string;
  readonly by: Invocation;
  readonly parts: Map<number, Part>;
  /** Made anew by the same process, since the answer was lost: nobody can know of this one. */
  isTwin: boolean;
  /** When it was begun, epoch ms. */
  readonly at: number;
}

interface Part {
  readonly bytes: Buffer;
  readonly etag: string;
}

/** A bucket: uploads have ids, parts come in any order, completing is one atomic call. */
export interface S3Bucket {
  put(path: string, bytes: Buffer, mark: string, by: Invocation): void;
  create(path: string, transferId: string, by: Invocation): string;
  has(id: string): boolean;
  /** @throws FerryError `upload-lost`, as the three that follow */
  putPart(id: string, number: number, part: Part): void;
  listParts(id: string): ReadonlyMap<number, Part>;
  complete(id: string, etags: readonly string[], by: Invocation): void;
  abort(id: string): void;
  /** Ids of uploads to a key that have no part. */
  listEmptyUploads(path: string): readonly string[];
  /** Loses an upload. */
  forget(): void;
  leftovers(): readonly Leftover[];
}

export function openS3Bucket(site: ServerSite, shelf: Shelf): S3Bucket {
  const { nature } = site;
  const uploads = new Map<string, Multipart>();
  let ids = 0;

  const of = (id: string) => {
    const upload = uploads.get(id);
    if (!upload) throw uploadLost('the bucket does not know it');
    return upload;
  };
  /** A damaged body does not have the hash that was signed with it. */
  const receive = (bytes: Buffer) => {
    const arrived = onTheWire(site, bytes);
    if (!arrived.equals(bytes) || nature.faults.strikes('short')) throw damaged('now');
    return arrived;
  };
  const publish = (path: string, bytes: Buffer, mark: string, by: Invocation) =>
    shelf.publish(path, { bytes, mark, modified: secondsNow(nature) }, by);

  return {
    put: (path, bytes, mark, by) => publish(path, receive(bytes), mark, by),
    create(path, transferId, by) {
      for (const one of uploads.values()) {
        if (one.by === by && one.transferId === transferId) one.isTwin = true;
      }
      ids += 1;
      const at = nature.timeline.now();
      uploads.set(`upload-${ids}`, { path, transferId, by, parts: new Map(), isTwin: false, at });
      return `upload-${ids}`;
    },
    has: (id) => uploads.has(id),
    putPart(id, number, { bytes, etag }) {
      of(id).parts.set(number, { bytes: receive(bytes), etag });
    },
    listParts: (id) => new Map(of(id).parts),
    complete(id, etags, by) {
      const upload = of(id);
      const parts = etags.map((_, number) => upload.parts.get(number));
      if (parts.some((part, number) => part?.etag !== etags[number])) throw uploadLost('a part');
      uploads.delete(id);
      const bytes = Buffer.concat(parts.map((part) => part?.bytes ?? Buffer.alloc(0)));
      publish(upload.path, bytes, upload.transferId, by);
    },
    abort: (id) => void uploads.delete(id),
    listEmptyUploads: (path) =>
      [...uploads].filter(([, one]) => one.path === path && one.parts.size === 0).map(([id]) => id),
    forget() {
      const [first] = uploads.keys();
      if (first !== undefined) uploads.delete(first);
    },
    leftovers: () =>
      [...uploads].map(([id, { path, by, isTwin }]) => ({
        what: `the multipart upload ${id} of ${path}`,
        by,
        isAllowed: isTwin,
      })),
  };
}
