import { NEVER, unlessAborted } from '../../core/stopping.ts';
import type { Part } from '../contract.ts';
import type { Connection } from './connection.ts';
import { explainWrite } from './remote-files.ts';

/** A file that is open for writing over one connection. */
export interface Way {
  readonly connection: Connection;
  readonly handle: Buffer;
}

/**
 * Writes a part at its place in a file, over every way to it, each with as many requests as its
 * connection's window has room for, and resolves when the server has acknowledged each. ssh2 copies the
 * bytes as it sends them, so the buffer is free once this settles, however it ends.
 */
export async function writeBytes(
  ways: readonly Way[],
  { bytes, offset }: Part,
  path: string,
  signal: AbortSignal,
): Promise<void> {
  const acknowledged: Promise<void>[] = [];
  let next = 0;
  let failure: { readonly connection: Connection; readonly error: unknown } | undefined;
  let isOver = false;

  const send = async ({ connection, handle }: Way, at: number, length: number): Promise<void> => {
    try {
      await connection.ask<void>(
        (sftp, answer) =>
          sftp.write(handle, bytes, at, length, offset + at, (error) => answer(error)),
        NEVER,
      );
    } catch (error) {
      failure ??= { connection, error };
      isOver = true;
      throw error;
    } finally {
      connection.writes.leave();
    }
  };

  const goAlong = async (way: Way): Promise<void> => {
    const { writes, requestBytes } = way.connection;
    while (next < bytes.length && !isOver) {
      await writes.enter(signal);
      const at = next;
      const length = Math.min(requestBytes, bytes.length - at);
      if (length <= 0 || isOver) {
        writes.leave();
        return;
      }
      next += length;
      const sending = send(way, at, length);
      // All are awaited together below; until then a failure must not count as unhandled.
      sending.catch(() => {});
      acknowledged.push(sending);
    }
  };

  try {
    await Promise.all(ways.map(goAlong));
    await unlessAborted(Promise.all(acknowledged), signal);
  } catch (error) {
    isOver = true;
    if (!failure || signal.aborted) throw error;
    const { connection, error: cause } = failure;
    throw await unlessAborted(explainWrite(connection, cause, path), signal);
  }
}
