import type { RemoteFile } from '../../../functions/destinations/contract.ts';
import type { Invocation } from '../cloud/environment.ts';
import { damaged, onTheWire, uploadLost } from './line.ts';
import { type ServerSite, type Shelf, type StoredFile, secondsNow, sha256Of } from './server.ts';

interface Session {
  readonly pieces: Map<number, Buffer>;
  isClosed: boolean;
}

/** Concurrent upload sessions: pieces in any order but the last, which closes; gone once finished. */
export interface DropboxSessions {
  start(): string;
  /**
   * `closed` where the session takes no more.
   * @throws FerryError `upload-lost`
   */
  append(id: string, offset: number, bytes: Buffer, close: boolean): 'stored' | 'closed';
  /** The file that was made of a session; undefined where there is no such session. */
  finish(id: string, file: RemoteFile, by: Invocation): StoredFile | undefined;
  /** Undefined where there is no such session. */
  probe(id: string): { readonly isClosed: boolean } | undefined;
  /** Loses a session. */
  forget(): void;
}

export function openDropboxSessions(site: ServerSite, shelf: Shelf): DropboxSessions {
  const sessions = new Map<string, Session>();
  let ids = 0;

  const receive = (bytes: Buffer) => {
    const arrived = onTheWire(site, bytes);
    if (!arrived.equals(bytes)) throw damaged('now');
    return arrived;
  };
  return {
    start() {
      ids += 1;
      sessions.set(`session-${ids}`, { pieces: new Map(), isClosed: false });
      return `session-${ids}`;
    },
    append(id, offset, bytes, close) {
      const session = sessions.get(id);
      if (!session) throw uploadLost('its session is not known any more');
      if (session.isClosed) return 'closed';
      session.pieces.set(offset, receive(bytes));
      session.isClosed = close;
      return 'stored';
    },
    finish(id, { path, size }, by) {
      const session = sessions.get(id);
      if (!session) return undefined;
      const pieces = [...session.pieces].sort(([a], [b]) => a - b).map(([, bytes]) => bytes);
      const bytes = Buffer.concat(pieces);
      if (!session.isClosed || bytes.length !== size) throw damaged('later');
      sessions.delete(id);
      shelf.publish(path, { bytes, modified: secondsNow(site.nature) }, by);
      return shelf.files.get(path);
    },
    probe(id) {
      const session = sessions.get(id);
      return session && { isClosed: session.isClosed };
    },
    forget() {
      const [first] = sessions.keys();
      if (first !== undefined) sessions.delete(first);
    },
  };
}

/** Dropbox's own hash of a part, block by block. */
export function partHashes(bytes: Buffer, block: number): string[] {
  const hashes: string[] = [];
  for (let at = 0; at < bytes.length; at += block) {
    hashes.push(sha256Of(bytes.subarray(at, at + block)));
  }
  return hashes;
}

/** Of a whole file, as a driver sums it up part by part. */
export function contentHash(bytes: Buffer, partSize: number, count: number): string {
  const parts = partHashes(bytes, partSize);
  return Array.from({ length: count }, (_, at) => parts[at] ?? '').reduce(
    (sum, part) => sha256Of(sum, part),
    '',
  );
}
