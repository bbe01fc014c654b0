import { posix } from 'node:path';
import type { FerryError } from '../../core/errors.ts';
import type { Digest, Proof } from '../../core/receipt.ts';
import { NEVER, sideBySide } from '../../core/stopping.ts';
import type { RemoteFile } from '../contract.ts';
import { uploadLost } from '../upload-checkpoint.ts';
import type { Mark, Saved, State } from './checkpoint.ts';
import { noRoom, shortWrite } from './errors.ts';
import { assertNoFolder, preparePlace } from './final-name.ts';
import { putFile } from './folders.ts';
import { type Entry, look, roomIn } from './properties.ts';
import { findOurs, markOf, proveSize, publish } from './publish.ts';
import { folderOf, temporaryName } from './remote-path.ts';
import type { Server } from './server.ts';

/** A file that grows under a name of our own beside its final place. */
export interface TemporaryFile {
  readonly url: string;
  look(signal: AbortSignal): Promise<Entry | undefined>;
  /**
   * Makes its folder, and looks whether the final name can be taken.
   * @throws FerryError `name-refused` where a folder has that
   */
  prepare(signal: AbortSignal): Promise<void>;
  /** Looks at it after its last part, and at the final name for `marks`. @throws as `prepare` */
  lookAtEnd(signal: AbortSignal): Promise<Entry | undefined>;
  /** Puts the first bytes there, or all, in place of anything older. */
  put(body: Buffer, signal: AbortSignal): Promise<void>;
  /** What another process needs once all parts are there. */
  marks(): Promise<Pick<State, 'ours' | 'before'>>;
  /** Whether the file has its final name already, by the marks of a checkpoint. */
  isPublished(signal: AbortSignal): Promise<boolean>;
  /** Why the server has less than it acknowledged. @param bytes of the whole file */
  explainShort(bytes: number, signal: AbortSignal): Promise<FerryError>;
  /** @param md5 of what was sent, where that is known */
  finish(digest: Digest, how: string, signal: AbortSignal, md5?: string): Promise<Proof>;
  remove(): Promise<void>;
}

/** Sends nothing yet. */
export function openTemporaryFile(
  server: Server,
  file: RemoteFile,
  saved?: Pick<Saved, 'ours' | 'before'>,
): TemporaryFile {
  const folder = folderOf(file);
  const name = temporaryName(posix.basename(file.path), file.transferId);
  const url = server.fileUrl(posix.join(folder, name));
  const final = server.fileUrl(file.path);
  const size = file.size;
  let ours: Mark | undefined = saved?.ours;
  let before: Mark | null | undefined = saved?.before;

  /** At both names at once; without a file there is nothing to mark. */
  const lookAtBoth = async (signal: AbortSignal) => {
    const [found, older] = await sideBySide([
      look(server, url, signal),
      assertNoFolder(server, final, signal),
    ]);
    if (!found) return undefined;
    ours = markOf(found);
    before = older ? markOf(older) : null;
    return { found, marks: { ours, before } };
  };
  const published = async (signal: AbortSignal) =>
    ours !== undefined && before !== undefined
      ? findOurs(server, { final, size, ours, before, hasOurTime: false }, signal)
      : undefined;

  return {
    url,
    look: (signal) => look(server, url, signal),
    lookAtEnd: async (signal) => (await lookAtBoth(signal))?.found,

    prepare: (signal) => preparePlace(server, file, signal),

    put: (body, signal) => putFile(server, folder, { url, body }, signal),

    async marks() {
      if (ours === undefined) await lookAtBoth(NEVER);
      return { ours, before };
    },

    isPublished: async (signal) => (await published(signal)) !== undefined,

    async explainShort(bytes, signal) {
      const room = await roomIn(server, server.folderUrl(folder), signal).catch(() => undefined);
      return room !== undefined && room < bytes ? noRoom() : shortWrite();
    },

    async finish(digest, how, signal, md5) {
      const seen = await lookAtBoth(signal);
      if (seen) {
        if (seen.found.size !== digest.size) throw shortWrite();
        const place = { source: url, leftover: url, final, size };
        const seenAs = { hasOurTime: false, notItself: [400, 502] };
        await publish(server, { ...place, ...seen.marks, ...seenAs }, signal);
      } else if (!(await published(signal))) {
        throw uploadLost('the server does not have it any more');
      }
      return proveSize(server, file, how, signal, md5);
    },

    async remove() {
      await server.call(NEVER, { method: 'DELETE', url, expect: [404] });
    },
  };
}
