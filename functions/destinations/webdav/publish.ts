import { posix } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { abortError, FerryError } from '../../core/errors.ts';
import type { Proof } from '../../core/receipt.ts';
import type { RemoteFile } from '../contract.ts';
import { uploadLost } from '../upload-checkpoint.ts';
import type { Mark } from './checkpoint.ts';
import { moveRefused, statusOf } from './errors.ts';
import { assertNoFolder } from './final-name.ts';
import { type Entry, look } from './properties.ts';
import type { Server } from './server.ts';

/** When it is looked again whether a server has put a file in its place although it did not say so, in ms. */
const LOOKS_MS = [250, 500, 1000, 2000, 3000, 4000];

const HOW_MD5 = 'the ETag that the server gives is the MD5 of what Ferry sent';

/** A file that is whole, and where it belongs. */
export interface Whole {
  /** Of the temporary file, or of what stands for all chunks. */
  readonly source: string;
  /** Gone once the file is in its place. */
  readonly leftover: string;
  readonly final: string;
  /** The final name as the request has to give it, where it goes to another address. */
  readonly target?: string;
  /** Bytes. */
  readonly size: number;
  /** How our file can be told. */
  readonly ours: Mark;
  /** What had the final name before; null for nothing. */
  readonly before: Mark | null;
  /** Whether the server was told to give the file the time in `ours`. */
  readonly hasOurTime: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * Statuses that may mean that the server does not know itself under our address (RFC 4918, 10.3): 502 in
   * the standard, and 400 for nginx and others.
   */
  readonly notItself: readonly number[];
}

/** What can be told of a file for recognising it later. */
export function markOf({ modified, etag }: Entry): Mark {
  return { modified, etag };
}

/**
 * What stands under the final name, where that is our work: of our size, and with the time that we gave
 * it; or, where we gave none, with the ETag that our file had under its temporary name, or at least not
 * what was there before. Undefined where it is not.
 */
export async function findOurs(
  server: Server,
  whole: Pick<Whole, 'final' | 'size' | 'ours' | 'before' | 'hasOurTime'>,
  signal: AbortSignal,
): Promise<Entry | undefined> {
  const { ours, before } = whole;
  const found = await look(server, whole.final, signal);
  if (found?.kind !== 'file' || found.size !== whole.size) return undefined;
  if (whole.hasOurTime) {
    return Date.parse(found.modified ?? '') === Date.parse(ours.modified ?? '') ? found : undefined;
  }
  if (ours.etag !== undefined && found.etag === ours.etag) return found;
  const isOlder =
    before !== null && before.etag === found.etag && before.modified === found.modified;
  return isOlder ? undefined : found;
}

/**
 * What the server says of a file that was just published, or found to be ours.
 * @param how who vouches for its size, for a person
 * @param md5 of what was sent, where that is known
 * @throws FerryError `corrupted` where it is not whole; then it is gone. `name-refused` where it is a
 * folder; then that stays
 */
export async function proveSize(
  server: Server,
  file: RemoteFile,
  how: string,
  signal: AbortSignal,
  md5?: string,
): Promise<Proof> {
  const { settings } = server;
  const url = server.fileUrl(file.path);
  const found = await assertNoFolder(server, url, signal);
  if (found?.size === file.size) {
    const remotePath = `${settings.url.href}${posix.join(settings.folder, file.path)}`;
    const { size, etag } = found;
    if (md5 === undefined || etag?.toLowerCase() !== `"${md5}"`) {
      return { verified: 'size', how, remotePath, size };
    }
    return { verified: 'checksum', how: HOW_MD5, remotePath, size, checksum: etag };
  }
  if (found) await server.call(signal, { method: 'DELETE', url, expect: [404] });
  throw new FerryError(
    'corrupted',
    'The file at the destination does not have the size of what Ferry sent. It is sent again.',
    { retry: 'now', scope: 'archive' },
  );
}

/**
 * Gives a whole file its final name, in place of what has it. A server that does not say whether it
 * has done so is not asked to do it again, but looked at: it may be at it still. The caller has just
 * looked that no folder has that name (`assertNoFolder`).
 * @throws FerryError `upload-lost` where the file is gone, and not to its final name; `name-refused`
 * where a folder has that
 */
export async function publish(server: Server, whole: Whole, signal: AbortSignal): Promise<void> {
  let first: unknown;
  for (const destination of spellings(whole.target ?? whole.final)) {
    try {
      await server.callOnce(signal, {
        method: 'MOVE',
        url: whole.source,
        headers: { ...whole.headers, destination, overwrite: 'T' },
        // Some copy it, or put it together now, before they answer.
        length: whole.size,
      });
      return;
    } catch (thrown) {
      if (await isDone(server, whole, signal)) return;
      if (!whole.notItself.includes(statusOf(thrown) ?? 0)) {
        if (await comesToBeDone(server, whole, thrown, signal)) return;
        throw explain(thrown);
      }
      first ??= thrown;
    }
  }
  throw first;
}

/** Our address, the same with the other protocol, which a proxy may have changed, and the path alone. */
export function spellings(final: string): string[] {
  const { protocol, host, pathname } = new URL(final);
  const other = protocol === 'https:' ? 'http:' : 'https:';
  return [final, `${other}//${host}${pathname}`, pathname];
}

async function isDone(server: Server, whole: Whole, signal: AbortSignal): Promise<boolean> {
  if (await look(server, whole.leftover, signal)) return false;
  if (await findOurs(server, whole, signal)) return true;
  throw uploadLost('the server does not have it any more');
}

/** Waits some seconds for what the server may be doing; at once false where it has refused. */
async function comesToBeDone(
  server: Server,
  whole: Whole,
  thrown: unknown,
  signal: AbortSignal,
): Promise<boolean> {
  const status = statusOf(thrown);
  if (status !== undefined && status !== 423 && status < 500) return false;
  if (status === 507 || status === 501) return false;
  for (const ms of LOOKS_MS) {
    await wait(ms, undefined, { signal }).catch(() => {
      throw abortError(signal);
    });
    if (await isDone(server, whole, signal)) return true;
  }
  return false;
}

function explain(thrown: unknown): FerryError {
  const error = moveRefused(thrown);
  const status = statusOf(error);
  const isUnderWay = error.code === 'timeout' || status === 423 || status === 504;
  if (!isUnderWay) return error;
  return new FerryError(
    'server-error',
    'The server has not put the file in its place yet. Ferry looks again later; for large files give the server more time (proxy_read_timeout, max_execution_time).',
    { retry: 'later', scope: 'archive', cause: error.cause },
  );
}
