import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Proof } from '../../../functions/core/receipt.ts';
import type { Destination, RemoteFile, Upload } from '../../../functions/destinations/contract.ts';
import type { Invocation } from '../cloud/environment.ts';
import { besideUploads, leading } from './common.ts';
import { damaged, type Line, onTheWire, openLine, shortWrite, uploadLost } from './line.ts';
import { openShelf, type Server, type ServerSite, secondsNow } from './server.ts';

interface Multipart {
  readonly path: string;
  readonly transferId: string;
  readonly by: Invocation;
  readonly parts: Map<number, { readonly bytes: Buffer; readonly etag: string }>;
  /** Made anew by the same process, since the answer was lost: nobody can know of this one. */
  isTwin: boolean;
  /** When it was begun, epoch ms. */
  readonly at: number;
}

const saved = z.strictObject({
  transferId: z.string(),
  partSize: z.number(),
  id: z.string(),
  etags: z.array(z.string()),
});

/** How far a server's clock may be from Ferry's, in ms. */
const SKEW_MS = 300_000;

/** A bucket: uploads have ids, parts come in any order, completing is one atomic call. */
export function openS3Server(site: ServerSite): Server {
  const { condition, nature, part: preferred } = site;
  const shelf = openShelf(site);
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
    if (!arrived.equals(bytes)) throw damaged('now');
    if (nature.faults.strikes('short')) throw damaged('now');
    return arrived;
  };
  const publish = (path: string, bytes: Buffer, mark: string, by: Invocation) =>
    shelf.publish(path, { bytes, mark, modified: secondsNow(nature) }, by);

  const prove = async (line: Line, { path, size }: RemoteFile, signal: AbortSignal) => {
    const found = await line.ask(`head ${path}`, () => shelf.files.get(path), { signal });
    if (found?.bytes.length === size) return proofOf(path, size, found.etag);
    throw damaged('later');
  };
  const isOurs = async (line: Line, file: RemoteFile, signal: AbortSignal) => {
    const found = await line.ask(`head ${file.path}`, () => shelf.files.get(file.path), { signal });
    return found?.mark === file.transferId && found.bytes.length === file.size;
  };

  /** What was begun since and could not be told of. */
  const abortOrphans = async (line: Line, path: string, since: Date, signal: AbortSignal) => {
    const list = () =>
      [...uploads].filter(([, one]) => one.path === path && one.at >= since.getTime() - SKEW_MS);
    for (const [id] of await line.ask(`list uploads of ${path}`, list, { signal })) {
      await line.ask(`abort ${id}`, () => void uploads.delete(id), { signal });
    }
  };

  const single = (line: Line, file: RemoteFile, count: number, by: Invocation): Upload => {
    let kept = count === 0 ? Buffer.alloc(0) : undefined;
    let sent = false;
    return {
      held: 0,
      async writePart({ bytes }) {
        kept = Buffer.from(bytes);
      },
      checkpoint: async () => undefined,
      async finish(_digest, signal) {
        const body = kept;
        if (!sent) {
          if (body?.length !== file.size) throw shortWrite();
          const effect = () => publish(file.path, receive(body), file.transferId, by);
          const how = { signal, bytes: body.length, writes: true };
          await line.ask(`put ${file.path}`, effect, how);
          sent = true;
        }
        return prove(line, file, signal);
      },
      async abort() {
        kept = undefined;
      },
    };
  };

  const multipart = (
    line: Line,
    file: RemoteFile,
    plan: { count: number; partSize: number },
    state: { id: string; etags: readonly string[]; published: boolean },
    by: Invocation,
  ): Upload => {
    const { id } = state;
    const { path, transferId, size } = file;
    const taken = new Map(state.etags.entries());
    let { published } = state;
    const known = () => Array.from({ length: leading(taken) }, (_, n) => taken.get(n) ?? '');
    const complete = (etags: readonly string[]) => {
      const upload = of(id);
      const parts = etags.map((_, number) => upload.parts.get(number));
      if (parts.some((part, number) => part?.etag !== etags[number])) throw uploadLost('a part');
      uploads.delete(id);
      publish(
        path,
        Buffer.concat(parts.map((part) => part?.bytes ?? Buffer.alloc(0))),
        transferId,
        by,
      );
    };
    return {
      held: published ? plan.count : state.etags.length,
      async writePart({ number, bytes }, signal) {
        const body = Buffer.from(bytes);
        const etag = createHash('md5').update(body).digest('hex');
        const effect = () => void of(id).parts.set(number, { bytes: receive(body), etag });
        await line.ask(`part ${number} of ${path}`, effect, {
          signal,
          bytes: body.length,
          writes: true,
        });
        taken.set(number, etag);
      },
      checkpoint: async () => ({ transferId, partSize: plan.partSize, id, etags: known() }),
      async finish(digest, signal) {
        const etags = known();
        if (!published) {
          if (etags.length !== plan.count || digest.size !== size) throw shortWrite();
          try {
            await line.ask(`complete ${path}`, () => complete(etags), { signal });
          } catch (thrown) {
            if (!(await isOurs(line, file, signal).catch(() => false))) throw thrown;
          }
        }
        published = true;
        return prove(line, file, signal);
      },
      async abort() {
        await line.ask(`abort ${path}`, () => void uploads.delete(id));
      },
    };
  };

  const connect = (invocation: Invocation, password: string): Destination => {
    const forget = () => {
      const [first] = uploads.keys();
      if (first !== undefined) uploads.delete(first);
    };
    const line = openLine(site, { invocation, password, attempts: 3, forget });
    return {
      ...besideUploads(shelf, line),
      capabilities: async () => ({
        writes: 'any-order',
        part: { min: 1, max: 2 ** 30, preferred, multiple: 1, most: 10_000 },
        parallel: 4,
        resume: 'parts',
        publish: 'atomic',
        proof: 'checksum',
      }),
      async begin(file, plan, signal) {
        if (plan.count <= 1) return single(line, file, plan.count, invocation);
        if (file.begunBefore) await abortOrphans(line, file.path, file.begunBefore, signal);
        const create = () => {
          const { path, transferId } = file;
          for (const one of uploads.values()) {
            if (one.by === invocation && one.transferId === transferId) one.isTwin = true;
          }
          ids += 1;
          const at = nature.timeline.now();
          const made = { path, transferId, by: invocation, parts: new Map(), isTwin: false, at };
          uploads.set(`upload-${ids}`, made);
          return `upload-${ids}`;
        };
        const id = await line.ask(`create ${file.path}`, create, { signal });
        return multipart(line, file, plan, { id, etags: [], published: false }, invocation);
      },
      async resume(file, plan, checkpoint, signal) {
        const { success, data } = saved.safeParse(checkpoint);
        const fits =
          success && data.transferId === file.transferId && data.partSize === plan.partSize;
        if (!fits) throw uploadLost('its saved state is of another file');
        const { id } = data;
        try {
          const held = await line.ask(`list parts of ${file.path}`, () => new Map(of(id).parts), {
            signal,
          });
          const wrong = data.etags.findIndex((etag, number) => held.get(number)?.etag !== etag);
          const etags = wrong < 0 ? data.etags : data.etags.slice(0, wrong);
          return multipart(line, file, plan, { id, etags, published: false }, invocation);
        } catch (thrown) {
          const isGone = !uploads.has(id) && (await isOurs(line, file, signal));
          if (!isGone) throw thrown;
          return multipart(
            line,
            file,
            plan,
            { id, etags: data.etags, published: true },
            invocation,
          );
        }
      },
    };
  };

  return {
    name: site.name,
    kind: 's3',
    shelf,
    condition,
    canResume: true,
    connect,
    leftovers: () =>
      [...uploads].map(([id, { path, transferId, by, at, isTwin }]) => ({
        what: `the multipart upload ${id} of ${path}`,
        transferId,
        by,
        at,
        isAllowed: isTwin,
      })),
  };
}

function proofOf(path: string, size: number, checksum: string): Proof {
  const how = 'the bucket checked every part';
  return { verified: 'checksum', how, remotePath: `s3://bucket/${path}`, size, checksum };
}
