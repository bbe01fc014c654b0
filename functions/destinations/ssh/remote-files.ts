import { posix } from 'node:path';
import * as z from 'zod';
import { FerryError } from '../../core/errors.ts';
import { MiB } from '../../core/parts.ts';
import { NEVER } from '../../core/stopping.ts';
import type { Connection } from './connection.ts';
import { explainStatus, isNotOffered, noSpace, STATUS, statusOf } from './errors.ts';

/** What the server knows of one path. */
export interface RemoteEntry {
  readonly kind: 'file' | 'folder' | 'other';
  /** Bytes. */
  readonly size: number;
  /** When the content was written last, whole seconds since the epoch (SFTP version 3 has no finer). */
  readonly modified: number;
}

/** A server may have to bring gigabytes to its disk before it answers, in ms. */
const SYNC_PATIENCE_MS = 5 * 60_000;

/** Undefined when there is nothing of this name. */
export async function statEntry(
  connection: Connection,
  path: string,
  signal: AbortSignal,
): Promise<RemoteEntry | undefined> {
  try {
    const stats = await connection.ask<{
      size: number;
      mtime: number;
      isFile(): boolean;
      isDirectory(): boolean;
    }>((sftp, answer) => sftp.stat(path, answer), signal);
    const kind = stats.isFile() ? 'file' : stats.isDirectory() ? 'folder' : 'other';
    return { kind, size: stats.size, modified: stats.mtime };
  } catch (error) {
    if (statusOf(error) === STATUS.noSuchFile) return undefined;
    throw explainStatus(error, `looking at ${path}`);
  }
}

/**
 * Makes a folder and those above it where they are missing; somebody else may do so at the same time.
 * @returns the folders that were made here, outermost first
 */
export async function ensureFolder(
  connection: Connection,
  path: string,
  signal: AbortSignal,
): Promise<string[]> {
  const found = await statEntry(connection, path, signal);
  if (found?.kind === 'folder') return [];
  if (found) throw inTheWay(path);
  const above = posix.dirname(path);
  const made = above === path ? [] : await ensureFolder(connection, above, signal);
  try {
    await connection.ask<void>((sftp, answer) => sftp.mkdir(path, (e) => answer(e)), signal);
    return [...made, path];
  } catch (error) {
    if (statusOf(error) === undefined) throw error;
    if ((await statEntry(connection, path, signal))?.kind === 'folder') return made;
    throw explainStatus(error, `making the folder ${path}`);
  }
}

function inTheWay(path: string): FerryError {
  return new FerryError(
    'name-refused',
    `On the server ${path} is not a folder. Remove or rename it, or change SSH_REMOTE_PATH.`,
    { retry: 'never' },
  );
}

/** @param mode `w` makes or empties the file, `r+` keeps what is there, `r` reads */
export async function openFile(
  connection: Connection,
  path: string,
  mode: 'w' | 'r+' | 'r',
  signal: AbortSignal,
): Promise<Buffer> {
  try {
    return await connection.ask<Buffer>((sftp, answer) => sftp.open(path, mode, answer), signal);
  } catch (error) {
    if (mode === 'w') throw await explainWrite(connection, error, path);
    throw explainStatus(error, `opening ${path}`);
  }
}

/** Ends the use of a file. A server may tell only now that it could not keep all that was written. */
export async function closeFile(
  connection: Connection,
  handle: Buffer,
  path: string,
  signal: AbortSignal,
): Promise<void> {
  try {
    await connection.ask<void>(
      (sftp, answer) => sftp.close(handle, (error) => answer(error)),
      signal,
      SYNC_PATIENCE_MS,
    );
  } catch (error) {
    throw await explainWrite(connection, error, path);
  }
}

/** Gives a handle back through which nothing is kept; whether the server says so changes nothing. */
export function releaseHandle(connection: Connection, handle: Buffer): void {
  connection
    .ask<void>((sftp, answer) => sftp.close(handle, (error) => answer(error)), NEVER)
    .catch(() => {});
}

/** Brings a file's content to the server's disk, where the server has `fsync@openssh.com`. */
export async function syncFile(
  connection: Connection,
  handle: Buffer,
  path: string,
  signal: AbortSignal,
): Promise<void> {
  try {
    await connection.ask<void>(
      (sftp, answer) => sftp.ext_openssh_fsync(handle, (error) => answer(error)),
      signal,
      SYNC_PATIENCE_MS,
    );
  } catch (error) {
    if (!isNotOffered(error)) throw await explainWrite(connection, error, path);
  }
}

/**
 * Gives a file its final name, replacing whatever has it: in one step where the server has
 * `posix-rename@openssh.com`; else the old file goes just before.
 */
export async function replaceFile(
  connection: Connection,
  from: string,
  to: string,
  signal: AbortSignal,
): Promise<void> {
  const plainRename = () =>
    connection.ask<void>((sftp, answer) => sftp.rename(from, to, (e) => answer(e)), signal);
  try {
    await connection
      .ask<void>((sftp, answer) => sftp.ext_openssh_rename(from, to, (e) => answer(e)), signal)
      .catch(async (error: unknown) => {
        if (!isNotOffered(error)) throw error;
        if (await statEntry(connection, to, signal)) await removeFile(connection, to, signal);
        await plainRename();
      });
  } catch (error) {
    throw explainStatus(error, `renaming ${from} to ${to}`);
  }
}

/** Removing what is not there is no error. */
export async function removeFile(
  connection: Connection,
  path: string,
  signal: AbortSignal,
): Promise<void> {
  try {
    await connection.ask<void>((sftp, answer) => sftp.unlink(path, (e) => answer(e)), signal);
  } catch (error) {
    if (statusOf(error) !== STATUS.noSuchFile) throw explainStatus(error, `removing ${path}`);
  }
}

const room = z.object({ f_frsize: z.number(), f_bavail: z.number(), f_favail: z.number() });

/** Below this a write that failed is taken to have failed for want of room, in bytes. */
const AS_GOOD_AS_FULL = 2 * MiB;

/** What a failed write means: a full disk where the server says so or `statvfs@openssh.com` shows it. */
export async function explainWrite(
  connection: Connection,
  error: unknown,
  path: string,
): Promise<FerryError> {
  const explained = explainStatus(error, `writing ${path}`);
  if (explained.code !== 'server-error') return explained;
  const folder = posix.dirname(path);
  const answered = await connection
    .ask<unknown>((sftp, answer) => sftp.ext_openssh_statvfs(folder, answer), NEVER)
    .catch(() => undefined);
  const left = room.safeParse(answered);
  if (!left.success) return explained;
  const { f_bavail, f_frsize, f_favail } = left.data;
  return f_bavail * f_frsize < AS_GOOD_AS_FULL || f_favail === 0 ? noSpace(error) : explained;
}
