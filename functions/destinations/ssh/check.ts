import { randomBytes } from 'node:crypto';
import { FerryError, toFerryError } from '../../core/errors.ts';
import { NEVER } from '../../core/stopping.ts';
import { runSteps, type Step } from '../check-steps.ts';
import type { CheckStep } from '../contract.ts';
import { describeRoom } from '../room.ts';
import { measureSpeed } from '../speed.ts';
import { type Connection, connect, type SshSurroundings } from './connection.ts';
import { HostKeyRefusal } from './host-key.ts';
import { readFile } from './listing.ts';
import { closeFile, ensureFolder, openFile, releaseHandle, removeFile } from './remote-files.ts';
import { fullPath, temporaryPath } from './remote-path.ts';
import { roomIn } from './room.ts';
import type { SshSettings } from './settings.ts';
import { writeBytes } from './write-bytes.ts';

/** Stages of connecting, in the order in which `connect` passes them. */
const CONNECTING = [
  'name lookup',
  'address',
  'TCP connection',
  'host key',
  'authentication',
  'SFTP',
];

/**
 * Tries what a transfer needs, over a connection of its own: every stage of connecting, then writing,
 * reading back and deleting a small file, how much room there is and how fast it goes. Ends with the
 * first step that fails.
 */
export async function* checkServer(
  settings: SshSettings,
  surroundings: SshSurroundings,
  signal: AbortSignal,
): AsyncGenerator<CheckStep> {
  const passed: CheckStep[] = [];
  const lap = stopwatch();
  let connection: Connection;
  try {
    connection = await connect(settings, surroundings, signal, (step, detail) => {
      passed.push({ step, ms: lap(), detail });
    });
  } catch (error) {
    yield* passed;
    const step = CONNECTING[passed.length] ?? 'connection';
    const detail = error instanceof HostKeyRefusal ? error.shown : undefined;
    yield { step, ms: lap(), error: toFerryError(error), detail };
    return;
  }
  try {
    yield* passed;
    yield* checkFolder(connection, signal);
  } finally {
    await connection.close();
  }
}

async function* checkFolder(
  connection: Connection,
  signal: AbortSignal,
): AsyncGenerator<CheckStep> {
  const id = randomBytes(8).toString('hex');
  const path = temporaryPath(fullPath(connection.base, 'ferry-check'), id);
  const bytes = Buffer.from(`Ferry was here to test the connection: ${id}\n`);
  const write = async (written: Buffer, stop: AbortSignal) => {
    const part = { number: 0, offset: 0, length: written.length, bytes: written };
    const handle = await openFile(connection, path, 'w', stop);
    try {
      await writeBytes([{ connection, handle }], part, path, stop);
    } finally {
      if (stop.aborted) releaseHandle(connection, handle);
    }
    await closeFile(connection, handle, path, stop);
  };
  const remove = (stop: AbortSignal) => removeFile(connection, path, stop);
  let made: string[] = [];

  const steps: readonly Step[] = [
    [
      'folder',
      async () => {
        made = await ensureFolder(connection, connection.base, signal);
        return undefined;
      },
    ],
    ['write', async () => void (await write(bytes, signal))],
    [
      'read back',
      async () => {
        const range = { from: 0, to: bytes.length };
        const read: Buffer[] = [];
        for await (const piece of readFile(connection, path, range, signal)) read.push(piece);
        if (!Buffer.concat(read).equals(bytes)) throw readOther();
        return undefined;
      },
    ],
    ['delete', async () => void (await remove(signal))],
    ['space', async () => describeRoom(await roomIn(connection, connection.base, signal))],
    ['speed', () => measureSpeed(write, remove, signal)],
  ];

  try {
    yield* runSteps(steps, toFerryError, signal);
  } finally {
    await leaveNothing(connection, path, made);
  }
}

async function leaveNothing(connection: Connection, path: string, made: string[]): Promise<void> {
  await removeFile(connection, path, NEVER).catch(() => undefined);
  for (const folder of made.reverse()) {
    await connection
      .ask<void>((sftp, answer) => sftp.rmdir(folder, (error) => answer(error)), NEVER)
      .catch(() => undefined);
  }
}

/** Returns the ms since the last lap. */
function stopwatch(): () => number {
  let start = performance.now();
  return () => {
    const now = performance.now();
    const ms = Math.round(now - start);
    start = now;
    return ms;
  };
}

function readOther(): FerryError {
  return new FerryError(
    'corrupted',
    'The server gave back other bytes than were written. Check its disk before you trust it with backups.',
    { retry: 'never' },
  );
}
