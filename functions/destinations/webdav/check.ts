import { randomBytes } from 'node:crypto';
import { FerryError } from '../../core/errors.ts';
import { NEVER } from '../../core/stopping.ts';
import { runSteps, type Step } from '../check-steps.ts';
import type { CheckStep } from '../contract.ts';
import { addressOf } from '../http/address.ts';
import { reachingSteps } from '../http/connection-steps.ts';
import { describeRoom } from '../room.ts';
import { measureSpeed } from '../speed.ts';
import { webdavError } from './errors.ts';
import { ensureFolder, noFolder, removeEmpty } from './folders.ts';
import type { Strategy } from './probe.ts';
import { look, roomIn } from './properties.ts';
import { readFile } from './reading.ts';
import type { Remote } from './remote.ts';
import { PURPOSE, type Server } from './server.ts';

/** What a user may want to know of how files are sent. */
const TOLD: Readonly<Record<Strategy['by'], string>> = {
  'put-range':
    'the server writes pieces of files (PUT with Content-Range): an interrupted upload goes on where it stopped',
  patch:
    'the server writes pieces of files (PATCH with X-Update-Range): an interrupted upload goes on where it stopped',
  chunks:
    'the server takes files in chunks (Nextcloud, ownCloud): an interrupted upload goes on within a day',
  whole: 'the server takes whole files only: an interrupted upload starts again',
};

/** Ways of sending that make do with smaller requests where large ones are refused. */
const IN_PIECES: readonly Strategy['by'][] = ['put-range', 'patch'];

function tell({ by, foldsCase }: Strategy): string {
  const inOneCase = '; archives whose names differ in letter case alone are one file there';
  return `${TOLD[by]}${foldsCase ? inOneCase : ''}`;
}

/** Tries everything that a delivery needs, one step at a time, with a small file of its own that it deletes. */
export async function* checkServer(
  { server, strategies }: Remote,
  signal: AbortSignal,
): AsyncGenerator<CheckStep> {
  const { settings } = server;
  const name = `.ferry-check-${randomBytes(8).toString('hex')}`;
  const url = server.fileUrl(name);
  const body = randomBytes(32);
  const folder = server.folderUrl('');
  const write = (bytes: Buffer, stop: AbortSignal) =>
    server.call(stop, { method: 'PUT', url, body: bytes });
  const remove = (stop: AbortSignal) => server.call(stop, { method: 'DELETE', url, expect: [404] });
  let made: readonly string[] = [];
  const steps: readonly Step[] = [
    ...reachingSteps(addressOf(settings.url), settings, server.egress, PURPOSE, signal),
    ['authentication', () => tryLogin(server, signal)],
    [
      'write',
      async () => {
        made = await ensureFolder(server, '', signal);
        await write(body, signal);
        return undefined;
      },
    ],
    ['read back', async () => void (await readBack(server, name, body, signal))],
    ['delete', async () => void (await server.call(signal, { method: 'DELETE', url }))],
    ['way of sending', async () => tell(await strategies.findAnew(signal))],
    [
      'space',
      async () => describeRoom(await roomIn(server, folder, signal).catch(() => undefined)),
    ],
    [
      'speed',
      async () => {
        try {
          return await measureSpeed(write, remove, signal);
        } catch (thrown) {
          const { by } = await strategies.find(signal);
          if (!isTooLarge(thrown) || !IN_PIECES.includes(by)) throw thrown;
          return 'not measured: the server takes small requests only, so archives go in small pieces';
        }
      },
    ],
  ];
  try {
    yield* runSteps(steps, (thrown) => webdavError(thrown, signal), signal);
  } finally {
    await leaveNothing(server, url, made);
  }
}

function isTooLarge(thrown: unknown): boolean {
  return thrown instanceof FerryError && thrown.code === 'too-large';
}

async function leaveNothing(server: Server, url: string, made: readonly string[]): Promise<void> {
  try {
    await server.call(NEVER, { method: 'DELETE', url, expect: [404] });
    await removeEmpty(server, made, NEVER);
  } catch {
    // The step that failed has said what is wrong.
  }
}

/** Asks for WEBDAV_URL alone: folders below it may still have to be made. */
async function tryLogin(server: Server, signal: AbortSignal): Promise<string | undefined> {
  const url = server.settings.url.href;
  if (!(await look(server, url, signal))) throw noFolder();
  const { headers } = await server.call(signal, { method: 'OPTIONS', url, expect: [405, 501] });
  return headers.get('server') ?? undefined;
}

async function readBack(
  server: Server,
  name: string,
  expected: Buffer,
  signal: AbortSignal,
): Promise<void> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of readFile(server, name, signal)) chunks.push(chunk);
  if (expected.equals(Buffer.concat(chunks))) return;
  throw new FerryError(
    'corrupted',
    'What the server gives back is not what was written. Look for a proxy or disk that alters data.',
    { retry: 'later' },
  );
}
