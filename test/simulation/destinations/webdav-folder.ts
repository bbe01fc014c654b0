import type { Digest, Proof } from '../../../functions/core/receipt.ts';
import type { RemoteFile } from '../../../functions/destinations/contract.ts';
import type { Invocation, Nature } from '../cloud/environment.ts';
import { damaged, type Line, shortWrite, uploadLost } from './line.ts';
import { type Leftover, type ServerSite, type Shelf, secondsNow } from './server.ts';

/** How a file is told from others of its size. */
export interface Mark {
  readonly etag: string;
  readonly modified: number;
}

interface Resource extends Mark {
  readonly bytes: Buffer;
  readonly by: Invocation;
}

/** A folder of a WebDAV server; temporary names here, final names on the shelf. */
export interface WebDavFolder {
  look(name: string): (Mark & { readonly size: number }) | undefined;
  /** Puts bytes at an offset; a whole PUT takes the place of what was there. */
  put(name: string, offset: number, bytes: Buffer, by: Invocation): void;
  /** False where there is nothing of this name. */
  move(name: string, path: string, by: Invocation): boolean;
  delete(name: string): void;
  readonly names: () => Iterable<string>;
  leftovers(): readonly Leftover[];
}

/** @param keepsEtag whether a file keeps its ETag when it is moved */
export function openWebDavFolder(nature: Nature, shelf: Shelf, keepsEtag: boolean): WebDavFolder {
  const resources = new Map<string, Resource>();
  let etags = 0;
  return {
    look(name) {
      const found = resources.get(name);
      return found && { etag: found.etag, modified: found.modified, size: found.bytes.length };
    },
    put(name, offset, bytes, by) {
      etags += 1;
      const older = offset === 0 ? undefined : resources.get(name);
      const grown = Buffer.alloc(Math.max(older?.bytes.length ?? 0, offset + bytes.length));
      older?.bytes.copy(grown);
      bytes.copy(grown, offset);
      const modified = secondsNow(nature);
      resources.set(name, {
        ...{ bytes: grown, etag: `W/"${etags}"`, modified },
        by: older?.by ?? by,
      });
    },
    move(name, path, by) {
      const found = resources.get(name);
      if (!found) return false;
      resources.delete(name);
      const { bytes, modified, etag } = found;
      shelf.publish(path, { bytes, modified, ...(keepsEtag ? { etag } : {}) }, by);
      return true;
    },
    delete(name) {
      resources.delete(name);
    },
    names: () => resources.keys(),
    leftovers: () =>
      [...resources].map(([name, { by }]) => ({
        what: `the temporary file ${name}`,
        by,
        isAllowed: false,
      })),
  };
}

/** Beside the final place, and named after the transfer. */
export function temporaryName({ path, transferId }: RemoteFile): string {
  return `.${path}.${transferId}.part`;
}

/** A temporary file as both ways of writing it publish it. */
export interface TemporaryFile {
  readonly name: string;
  size(signal?: AbortSignal): Promise<number | undefined>;
  marks(): Promise<{ ours: Mark | undefined; before: Mark | null | undefined }>;
  isPublished(signal: AbortSignal): Promise<boolean>;
  finish(digest: Digest, signal: AbortSignal): Promise<Proof>;
  remove(): Promise<void>;
}

/** How often it is looked whether a file has come to its place after all. */
const LOOKS = 3;

export function openTemporaryFile(
  { nature }: ServerSite,
  line: Line,
  folder: WebDavFolder,
  shelf: Shelf,
  file: RemoteFile,
  by: Invocation,
  saved: { ours?: Mark | undefined; before?: Mark | null | undefined } = {},
): TemporaryFile {
  const { path, size } = file;
  const name = temporaryName(file);
  let { ours, before } = saved;
  const how = (signal: AbortSignal | undefined) => (signal ? { signal } : {});
  const look = (signal?: AbortSignal) =>
    line.ask(`look at ${name}`, () => folder.look(name), how(signal));
  const lookAtFinal = (signal?: AbortSignal) =>
    line.ask(`look at ${path}`, () => shelf.files.get(path), how(signal));
  const mark = async (found: Mark, signal?: AbortSignal) => {
    const older = await lookAtFinal(signal);
    ours = { etag: found.etag, modified: found.modified };
    before = older ? { etag: older.etag, modified: older.modified } : null;
    return { ours, before };
  };
  const isPublished = async (signal: AbortSignal) => {
    if (ours === undefined || before === undefined) return false;
    const found = await lookAtFinal(signal);
    if (found?.bytes.length !== size) return false;
    if (found.etag === ours.etag) return true;
    return !(before?.etag === found.etag && before.modified === found.modified);
  };
  const isDone = async (signal: AbortSignal) => {
    if (await look(signal)) return false;
    if (await isPublished(signal)) return true;
    throw uploadLost('the server does not have it any more');
  };

  return {
    name,
    size: async (signal) => (await look(signal))?.size,
    async marks() {
      const found = ours === undefined ? await look() : undefined;
      return found ? mark(found) : { ours, before };
    },
    isPublished,
    async finish(digest, signal) {
      const found = await look(signal);
      if (found) {
        if (found.size !== digest.size) throw shortWrite();
        await mark(found, signal);
        try {
          const isThere = await line.ask(
            `move ${name}`,
            () => folder.move(name, path, by),
            how(signal),
          );
          if (!isThere) throw uploadLost('the server does not have it any more');
        } catch (thrown) {
          for (let looks = 0; !(await isDone(signal)); looks++) {
            if (looks >= LOOKS) throw thrown;
          }
        }
      } else if (!(await isPublished(signal))) {
        throw uploadLost('the server does not have it any more');
      }
      const final = await lookAtFinal(signal);
      if (final?.bytes.length !== size) throw damaged('now');
      nature.history.note('webdav', `proved ${path}`);
      return { verified: 'size', how: 'file size on the server', remotePath: path, size };
    },
    async remove() {
      await line.ask(`delete ${name}`, () => folder.delete(name));
    },
  };
}
