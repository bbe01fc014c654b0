import { NEVER } from '../../core/stopping.ts';
import type { Part } from '../contract.ts';
import { connectionsFor } from './companions.ts';
import type { Connection } from './connection.ts';
import { closeFile, openFile, releaseHandle, syncFile } from './remote-files.ts';
import type { Session } from './session.ts';
import { type Way, writeBytes } from './write-bytes.ts';

/** One file, open for writing over the connection that opened it and others that came to help. */
export interface SharedFile {
  /** The connection that opened it. */
  readonly connection: Connection;
  write(part: Part, signal: AbortSignal): Promise<void>;
  /** Brings to the server's disk what was acknowledged before, whichever way it went. */
  sync(signal: AbortSignal): Promise<void>;
  close(signal: AbortSignal): Promise<void>;
  /** Ends its use without asking what became of it. */
  release(): void;
}

/**
 * Others help with what is left where that pays and the server is OpenSSH, by which a file that is open
 * twice is one file, and a write goes where it says. Other servers may append, lock, or put the file
 * together when it is closed.
 * @param first has opened the file
 * @param bytes that are still to be sent
 */
export function shareFile(session: Session, first: Way, path: string, bytes: number): SharedFile {
  const { connection } = first;
  const ways = [first];
  let isOver = false;

  const join = async (companion: Connection) => {
    if (isOver) return;
    const handle = await openFile(companion, path, 'r+', NEVER);
    if (isOver) releaseHandle(companion, handle);
    else ways.push({ connection: companion, handle });
  };
  const wanted = connection.isOpenSsh ? connectionsFor(bytes, connection.roundTripMs) : 1;
  if (wanted > 1) {
    session.companions(connection).invite(wanted - 1, (companion) => {
      // One that cannot open the file does not help; the others carry it.
      join(companion).catch(() => {});
    });
  }
  const onEach = async (act: (way: Way) => Promise<void>) => {
    await Promise.all(ways.map(act));
  };

  return {
    connection,
    write: (part, signal) => writeBytes([...ways], part, path, signal),
    sync: (signal) => onEach((way) => syncFile(way.connection, way.handle, path, signal)),
    async close(signal) {
      isOver = true;
      await onEach((way) => closeFile(way.connection, way.handle, path, signal));
    },
    release() {
      isOver = true;
      for (const way of ways) releaseHandle(way.connection, way.handle);
    },
  };
}
