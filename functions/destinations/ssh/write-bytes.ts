import { NEVER, unlessAborted } from '../../core/stopping.ts';
import type { Part } from '../contract.ts';
import { type Connection, REQUEST_BYTES } from './connection.ts';
import { explainWrite } from './remote-files.ts';

/**
 * Writes a part at its place in an open file, with as many requests on their way as the connection's
 * window has room for, and resolves when the server has acknowledged each. ssh2 copies the bytes as it
 * sends them, so the buffer is free once this settles, however it ends.
 */
export async function writeBytes(
  connection: Connection,
  handle: Buffer,
  { bytes, offset }: Part,
  path: string,
  signal: AbortSignal,
): Promise<void> {
  const acknowledged: Promise<void>[] = [];
  let failed = false;

  const send = async (at: number): Promise<void> => {
    const length = Math.min(REQUEST_BYTES, bytes.length - at);
    try {
      await connection.ask<void>(
        (sftp, answer) =>
          sftp.write(handle, bytes, at, length, offset + at, (error) => answer(error)),
        NEVER,
      );
    } catch (error) {
      failed = true;
      throw error;
    } finally {
      connection.writes.leave();
    }
  };

  for (let at = 0; at < bytes.length && !failed; at += REQUEST_BYTES) {
    await connection.writes.enter(signal);
    const sending = send(at);
    // All are awaited together below; until then a failure must not count as unhandled.
    sending.catch(() => {});
    acknowledged.push(sending);
  }
  try {
    await unlessAborted(Promise.all(acknowledged), signal);
  } catch (error) {
    throw await unlessAborted(explainWrite(connection, error, path), signal);
  }
}
