import { randomBytes } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { BLOCK } from './content-hash.ts';
import { routeError } from './refusal.ts';
import type { Shelf } from './shelf.ts';

/** files.stone, `upload_session/start`: 2^41 - 2^22 bytes. */
export const LARGEST_FILE = 2 ** 41 - 2 ** 22;
/** files.stone, `upload_session/start`: then the session is not found any more. */
const LIFETIME_MS = 7 * 24 * 3_600_000;

export type SessionType = 'sequential' | 'concurrent';

export interface Cursor {
  readonly session_id: string;
  readonly offset: number;
}

const sessionSchema = z.object({
  owner: z.string(),
  type: z.enum(['sequential', 'concurrent']),
  path: z.string(),
  createdAt: z.number(),
  /** Lengths by offsets, of a concurrent session. */
  pieces: z.array(z.tuple([z.number(), z.number()])).transform((pieces) => new Map(pieces)),
  /** Bytes received in order, of a sequential session. */
  received: z.number(),
  closed: z.boolean(),
  committed: z.boolean(),
});
type Session = z.output<typeof sessionSchema>;

const kept = z.array(z.tuple([z.string(), sessionSchema]));

/**
 * What happens to a piece of a concurrent session that comes a second time. The description of the API
 * does not say; both are played.
 */
export type Repeated = 'stored again' | 'refused';

/**
 * Upload sessions, kept on disk until they are committed.
 * @param shelf keeps what is known of them for another process, if given
 */
export function openSessions(folder: string, shelf?: Shelf) {
  const sessions = new Map<string, Session>(kept.safeParse(shelf?.read()).data);
  let repeated: Repeated = 'stored again';
  const keep = () => {
    const all = [...sessions].map(([id, { pieces, ...session }]) => [
      id,
      { ...session, pieces: [...pieces] },
    ]);
    shelf?.write(all);
  };

  /** @throws Refusal with the tags of `UploadSessionLookupError` */
  const find = (owner: string, { session_id }: Cursor, outer: readonly string[]) => {
    const session = sessions.get(session_id);
    const isThere = session?.owner === owner && Date.now() < session.createdAt + LIFETIME_MS;
    if (session && isThere) return session;
    throw routeError([...outer, 'not_found']);
  };

  const write = async ({ path }: Session, bytes: Buffer, offset: number) => {
    let file: FileHandle | undefined;
    try {
      file = await open(path, 'r+');
      await file.write(bytes, 0, bytes.length, offset);
    } finally {
      await file?.close();
    }
  };

  const append = async (
    session: Session,
    offset: number,
    bytes: Buffer,
    outer: readonly string[],
  ) => {
    if (session.closed) throw routeError([...outer, 'closed']);
    if (offset !== session.received) {
      throw routeError([...outer, 'incorrect_offset'], { correct_offset: session.received });
    }
    if (offset + bytes.length > LARGEST_FILE) throw routeError([...outer, 'too_large']);
    await write(session, bytes, offset);
    session.received += bytes.length;
  };

  const addPiece = async (session: Session, offset: number, bytes: Buffer, close: boolean) => {
    if (session.closed) throw routeError(['closed']);
    if (offset % BLOCK !== 0) throw routeError(['concurrent_session_invalid_offset']);
    if (bytes.length % BLOCK !== 0 && !close) {
      throw routeError(['concurrent_session_invalid_data_size']);
    }
    if (offset + bytes.length > LARGEST_FILE) throw routeError(['too_large']);
    if (repeated === 'refused' && session.pieces.get(offset) === bytes.length) {
      throw routeError(['incorrect_offset'], { correct_offset: offset + bytes.length });
    }
    await write(session, bytes, offset);
    session.pieces.set(offset, bytes.length);
  };

  return {
    async start(owner: string, type: SessionType, bytes: Buffer, close: boolean): Promise<string> {
      if (type === 'concurrent' && bytes.length > 0) {
        throw routeError(['concurrent_session_data_not_allowed']);
      }
      if (type === 'concurrent' && close) {
        throw routeError(['concurrent_session_close_not_allowed']);
      }
      const id = `pid_upload_session:${randomBytes(24).toString('base64url')}`;
      const path = join(folder, randomBytes(12).toString('hex'));
      await (await open(path, 'w')).close();
      const session: Session = {
        owner,
        type,
        path,
        createdAt: Date.now(),
        pieces: new Map(),
        received: 0,
        closed: false,
        committed: false,
      };
      sessions.set(id, session);
      await append(session, 0, bytes, []);
      session.closed = close;
      keep();
      return id;
    },

    async append(owner: string, cursor: Cursor, bytes: Buffer, close: boolean): Promise<void> {
      const session = find(owner, cursor, []);
      if (session.type === 'concurrent') await addPiece(session, cursor.offset, bytes, close);
      else await append(session, cursor.offset, bytes, []);
      if (close) session.closed = true;
      keep();
    },

    /** Everything up to the commit: takes the last bytes and says what the file is made of. */
    async complete(owner: string, cursor: Cursor, bytes: Buffer) {
      const session = find(owner, cursor, ['lookup_failed']);
      if (session.committed) throw routeError(['lookup_failed', 'closed']);
      if (session.type === 'concurrent') {
        if (bytes.length > 0) throw routeError(['concurrent_session_data_not_allowed']);
        if (!session.closed) throw routeError(['concurrent_session_not_closed']);
        const size = contiguous(session.pieces);
        if (size === undefined) throw routeError(['concurrent_session_missing_data']);
        if (size !== cursor.offset) {
          throw routeError(['lookup_failed', 'incorrect_offset'], { correct_offset: size });
        }
        return { path: session.path, size };
      }
      if (bytes.length > 0) await append(session, cursor.offset, bytes, ['lookup_failed']);
      else if (cursor.offset !== session.received) {
        const details = { correct_offset: session.received };
        throw routeError(['lookup_failed', 'incorrect_offset'], details);
      }
      return { path: session.path, size: session.received };
    },

    /** The file has taken over what the session held. */
    committed({ session_id }: Cursor): void {
      const session = sessions.get(session_id);
      if (session) Object.assign(session, { committed: true, closed: true });
      keep();
    },

    /** As after seven days. */
    async expireAll(): Promise<void> {
      const all = [...sessions.values()].filter(({ committed }) => !committed);
      sessions.clear();
      await Promise.all(all.map(({ path }) => rm(path, { force: true })));
    },

    /** Forgets one piece of every concurrent session. */
    losePiece(offset: number): void {
      for (const { pieces } of sessions.values()) pieces.delete(offset);
    },

    set repeated(how: Repeated) {
      repeated = how;
    },

    /** Sessions that hold something that is no file yet. */
    get unfinished(): number {
      return [...sessions.values()].filter(({ committed }) => !committed).length;
    },
  };
}

/** How many bytes the pieces are together; undefined where they leave a gap. */
function contiguous(pieces: ReadonlyMap<number, number>): number | undefined {
  let end = 0;
  for (const [offset, length] of [...pieces].sort(([a], [b]) => a - b)) {
    if (offset > end) return undefined;
    end = Math.max(end, offset + length);
  }
  return end;
}
