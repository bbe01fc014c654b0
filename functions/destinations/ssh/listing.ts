import { posix } from 'node:path';
import type { FileEntryWithStats } from 'ssh2';
import { FerryError } from '../../core/errors.ts';
import type { RemoteStat } from '../contract.ts';
import type { Connection } from './connection.ts';
import { explainStatus, STATUS, statusOf } from './errors.ts';
import { openFile, releaseHandle } from './remote-files.ts';
import { fullPath, isTemporary } from './remote-path.ts';
import { REQUEST_BYTES } from './requests.ts';

/** Read requests on their way at once for one file. */
const READ_AHEAD = 32;

/** Every file below a folder of the destination, at any depth, but for temporary ones. */
export async function* listFiles(
  connection: Connection,
  folder: string,
  signal: AbortSignal,
): AsyncGenerator<RemoteStat> {
  for await (const { filename, attrs } of readFolder(connection, folder, signal)) {
    const path = posix.join(folder, filename);
    if (attrs.isDirectory()) yield* listFiles(connection, path, signal);
    else if (attrs.isFile() && !isTemporary(filename)) {
      yield { path, size: attrs.size, modifiedAt: new Date(attrs.mtime * 1000) };
    }
  }
}

/** A folder that does not exist is empty. */
async function* readFolder(
  connection: Connection,
  folder: string,
  signal: AbortSignal,
): AsyncGenerator<FileEntryWithStats> {
  const full = fullPath(connection.base, folder);
  try {
    const handle = await connection.ask<Buffer>(
      (sftp, answer) => sftp.opendir(full, answer),
      signal,
    );
    try {
      for (;;) {
        const batch = await connection.ask<FileEntryWithStats[]>(
          (sftp, answer) => sftp.readdir(handle, answer),
          signal,
        );
        yield* batch.filter(({ filename }) => filename !== '.' && filename !== '..');
      }
    } finally {
      releaseHandle(connection, handle);
    }
  } catch (error) {
    const status = statusOf(error);
    if (status === STATUS.endOfFile || status === STATUS.noSuchFile) return;
    throw explainStatus(error, `listing ${full}`);
  }
}

/** The bytes of a file from `from` up to, not including, `to`, with several requests on their way. */
export async function* readFile(
  connection: Connection,
  path: string,
  { from, to }: { readonly from: number; readonly to: number },
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const handle = await openFile(connection, path, 'r', signal);
  const ahead: Promise<Buffer>[] = [];
  let next = from;
  try {
    while (next < to || ahead.length > 0) {
      while (next < to && ahead.length < READ_AHEAD) {
        const length = Math.min(REQUEST_BYTES, to - next);
        const reading = readExactly(connection, handle, path, next, length, signal);
        // Awaited in its turn; until then a failure must not count as unhandled.
        reading.catch(() => {});
        ahead.push(reading);
        next += length;
      }
      const bytes = await ahead.shift();
      if (bytes) yield bytes;
    }
  } finally {
    releaseHandle(connection, handle);
  }
}

async function readExactly(
  connection: Connection,
  handle: Buffer,
  path: string,
  position: number,
  length: number,
  signal: AbortSignal,
): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  let got = 0;
  while (got < length) {
    const count = await connection
      .ask<number>(
        (sftp, answer) => sftp.read(handle, bytes, got, length - got, position + got, answer),
        signal,
      )
      .catch((error: unknown) => {
        throw explainStatus(error, `reading ${path}`);
      });
    if (count === 0) throw endsEarly(path, position + length);
    got += count;
  }
  return bytes;
}

function endsEarly(path: string, expected: number): FerryError {
  return new FerryError(
    'not-found',
    `On the server ${path} ends before byte ${expected}. Read it again once nobody writes to it.`,
    { retry: 'never', scope: 'archive' },
  );
}
