import { randomBytes } from 'node:crypto';
import { moveRefused, statusOf } from './errors.ts';
import { ensureFolder } from './folders.ts';
import { chunkPlaces, findUser, toCloud } from './nextcloud.ts';
import { look } from './properties.ts';
import { spellings } from './publish.ts';
import { writeRange } from './ranged-write.ts';
import type { Server } from './server.ts';

/**
 * How a server takes a file.
 * - `put-range`: PUT with `Content-Range` writes in place (Apache's mod_dav).
 * - `patch`: PATCH with `X-Update-Range` does (SabreDAV).
 * - `chunks`: parts are put into a folder and made one file (Nextcloud, ownCloud 10).
 * - `whole`: one PUT takes it all, or nothing.
 */
export type Way =
  | { readonly by: 'put-range' | 'patch' | 'whole' }
  | { readonly by: 'chunks'; readonly user: string };

/** What was found out about a server. */
export type Strategy = Way & {
  /** Whether it takes names that differ in letter case alone for one. */
  readonly foldsCase: boolean;
};

/** What was tried with is removed within this time, or left. */
const TIDYING_MS = 5000;
/** What may mean that a server does not know itself under our address (RFC 4918, 9.9.4 and 10.3). */
const NOT_ITSELF = [400, 502];
/** Of a server that has just taken a PUT: it, or the proxy before it, fails at what it does not know. */
const FAILS_AT_IT = [500, 502];

/**
 * Finds out how a server takes files, with tiny ones of our own: what servers say of themselves proves
 * nothing, and some take a piece of a file for the whole of it without a word. Leaves nothing behind but
 * the destination's own folder.
 * @param trial names what is tried with
 * @throws FerryError `permission-denied` where no file can be given its final name
 */
export async function probe(server: Server, trial: string, signal: AbortSignal): Promise<Strategy> {
  await ensureFolder(server, '', signal);
  const chunks = await tryChunks(server, trial, signal);
  if (chunks) return chunks;
  const foldsCase = await tryMove(server, trial, signal);
  for (const by of ['put-range', 'patch'] as const) {
    if (await tryRange(server, trial, by, signal)) return { by, foldsCase };
  }
  return { by: 'whole', foldsCase };
}

export function newTrial(): string {
  return randomBytes(8).toString('hex');
}

/** Removes what a trial has left whose process was killed. */
export async function removeTrial(server: Server, trial: string): Promise<void> {
  const names = [nameOf(trial), movedNameOf(trial)];
  await leavingNothing(
    server,
    names.map((name) => server.fileUrl(name)),
    async () => true,
  );
}

const nameOf = (trial: string) => `.ferry-probe-${trial}`;
const movedNameOf = (trial: string) => `.ferry-probe-${trial}0`;

/**
 * Renames a file as it is done with each archive in the end. True where letter case makes no other name.
 * @throws FerryError `permission-denied` where the server does not do that
 */
async function tryMove(server: Server, trial: string, signal: AbortSignal): Promise<boolean> {
  const url = server.fileUrl(nameOf(trial));
  const moved = server.fileUrl(movedNameOf(trial));
  return leavingNothing(server, [url, moved], async () => {
    await server.call(signal, { method: 'PUT', url, body: randomBytes(1) });
    for (const destination of spellings(moved)) {
      try {
        const headers = { destination, overwrite: 'T' };
        await server.callOnce(signal, { method: 'MOVE', url, headers });
        return foldsCaseOf(server, movedNameOf(trial), signal);
      } catch (thrown) {
        if (!NOT_ITSELF.includes(statusOf(thrown) ?? 0)) throw moveRefused(thrown);
      }
    }
    return false;
  });
}

/** Whether a file of ours is there under its name in capitals, too; no server tells that otherwise. */
async function foldsCaseOf(server: Server, name: string, signal: AbortSignal): Promise<boolean> {
  try {
    return (await look(server, server.fileUrl(name.toUpperCase()), signal)) !== undefined;
  } catch (thrown) {
    // A name that it does not allow stands for no file of ours.
    if (isUnknownRequest(statusOf(thrown))) return false;
    throw thrown;
  }
}

/** Writes two bytes and then a third, and looks whether all of them are there. */
async function tryRange(
  server: Server,
  trial: string,
  by: 'put-range' | 'patch',
  signal: AbortSignal,
): Promise<boolean> {
  const url = server.fileUrl(nameOf(trial));
  const bytes = randomBytes(3);
  const third = { offset: 2, bytes: bytes.subarray(2), size: 3 };
  return leavingNothing(server, [url], async () => {
    await server.call(signal, { method: 'PUT', url, body: bytes.subarray(0, 2) });
    return (
      (await isTaken(writeRange(server, by, url, third, signal), FAILS_AT_IT)) &&
      bytes.equals(await readAll(server, url, signal))
    );
  });
}

/** Sends a file as one chunk where the address is one of a Nextcloud or ownCloud. */
async function tryChunks(
  server: Server,
  trial: string,
  signal: AbortSignal,
): Promise<Strategy | undefined> {
  const cloud = toCloud(server.settings.url);
  const user = cloud && (cloud.user ?? (await findUser(server, cloud, signal)));
  if (user === undefined) return undefined;
  const name = nameOf(trial);
  const bytes = randomBytes(3);
  const places = chunkPlaces(server, user, name, name.slice(1));
  const headers = { destination: places.final, 'oc-total-length': String(bytes.length) };
  return leavingNothing(server, [places.final, places.folder], async () => {
    const send = (method: string, url: string, body?: Buffer) =>
      isTaken(server.call(signal, { method, url, headers, ...(body ? { body } : {}) }));
    const works =
      (await send('MKCOL', places.folder)) &&
      (await send('PUT', places.chunk(0), bytes)) &&
      (await send('MOVE', places.whole)) &&
      bytes.equals(await readAll(server, server.fileUrl(name), signal));
    if (!works) return undefined;
    return { by: 'chunks', user, foldsCase: await foldsCaseOf(server, name, signal) };
  });
}

/**
 * False where the server does not know such a request; trouble of another kind is thrown.
 * @param also statuses that say no more than that
 */
async function isTaken(request: Promise<unknown>, also: readonly number[] = []): Promise<boolean> {
  try {
    await request;
    return true;
  } catch (thrown) {
    const status = statusOf(thrown);
    if (isUnknownRequest(status) || also.includes(status ?? 0)) return false;
    throw thrown;
  }
}

/** Whether a status says that the server does not know such a request, or does not allow it here. */
export function isUnknownRequest(status: number | undefined): boolean {
  if (status === undefined || [401, 408, 413, 423, 429].includes(status)) return false;
  return status < 500 || status === 501;
}

async function leavingNothing<T>(
  server: Server,
  urls: readonly string[],
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } finally {
    const soon = AbortSignal.timeout(TIDYING_MS);
    for (const url of urls) {
      await server.call(soon, { method: 'DELETE', url, expect: [404] }).catch(() => undefined);
    }
  }
}

async function readAll(server: Server, url: string, signal: AbortSignal): Promise<Buffer> {
  const { body } = await server.open(signal, { method: 'GET', url });
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}
