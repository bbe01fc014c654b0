import { FerryError, toFerryError } from '../../core/errors.ts';
import { filtered, statusOf } from './errors.ts';
import { look, lookInto } from './properties.ts';
import { encodeNames, namesOf } from './remote-path.ts';
import type { Server } from './server.ts';

/** The folder is there already (RFC 4918, 9.3.1), or the one that it would be in is not. */
const EXISTS = 405;
const NO_PARENT = [404, 409];
/** No server refuses less for its size, in bytes. */
const LARGE = 64 * 1024;

/**
 * Makes a folder of the destination with all above it, down from WEBDAV_URL; two at once is fine.
 * @param path below the user's folder
 * @returns addresses of the folders that were made, outermost first
 */
export async function ensureFolder(
  server: Server,
  path: string,
  signal: AbortSignal,
): Promise<string[]> {
  const names = [...namesOf(server.settings.folder), ...namesOf(path)];
  return make(server, names, signal);
}

/** Puts a file in place of what has its name, and makes its folder where somebody has removed that. */
export async function putFile(
  server: Server,
  folder: string,
  { url, body }: { readonly url: string; readonly body: Buffer },
  signal: AbortSignal,
): Promise<void> {
  const request = { method: 'PUT', url, body };
  try {
    await server.call(signal, request);
  } catch (thrown) {
    if (!isMissing(thrown)) throw thrown;
    server.knownFolders.clear();
    await ensureFolder(server, folder, signal);
    try {
      await server.call(signal, request);
    } catch (again) {
      throw (await explainMissing(server, url, body.length, again, signal)) ?? again;
    }
  }
}

/**
 * Why a PUT is answered as if its folder were missing, where that is there.
 * @param bytes of the body
 */
export async function explainMissing(
  server: Server,
  url: string,
  bytes: number,
  thrown: unknown,
  signal: AbortSignal,
): Promise<FerryError | undefined> {
  if (bytes < LARGE || !isMissing(thrown)) return undefined;
  const folder = await look(server, new URL('.', url).href, signal);
  return folder?.kind === 'folder' ? filtered(toFerryError(thrown).cause) : undefined;
}

/** Whether an answer says that the folder of a file is missing. */
export function isMissing(thrown: unknown): boolean {
  return NO_PARENT.includes(statusOf(thrown) ?? 0);
}

async function make(
  server: Server,
  names: readonly string[],
  signal: AbortSignal,
): Promise<string[]> {
  if (names.length === 0) return [];
  const known = names.join('/');
  if (server.knownFolders.has(known)) return [];
  const url = `${server.settings.url.href}${encodeNames(names)}/`;
  const made: string[] = [];
  let status = await makeOne(server, url, signal);
  if (NO_PARENT.includes(status) && names.length > 1) {
    made.push(...(await make(server, names.slice(0, -1), signal)));
    status = await makeOne(server, url, signal);
  }
  if (NO_PARENT.includes(status)) throw noFolder();
  if (status !== EXISTS) made.push(url);
  server.knownFolders.add(known);
  return made;
}

/** The answer's status; `EXISTS` too where the server has other words for that. */
async function makeOne(server: Server, url: string, signal: AbortSignal): Promise<number> {
  try {
    const expect = [EXISTS, ...NO_PARENT];
    return (await server.call(signal, { method: 'MKCOL', url, expect })).status;
  } catch (thrown) {
    // Servers refuse in many ways what is there already, and when somebody else makes it right now.
    if (statusOf(thrown) === undefined || statusOf(thrown) === 401) throw thrown;
    const found = await look(server, url, signal).catch(() => undefined);
    if (found?.kind === 'folder') return EXISTS;
    throw thrown;
  }
}

/** Removes folders that this process made, where nothing is in them. */
export async function removeEmpty(
  server: Server,
  made: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  for (const url of made.toReversed()) {
    const inside = await lookInto(server, url, signal);
    if (inside === undefined || inside.length > 0) return;
    await server.call(signal, { method: 'DELETE', url, expect: [404] });
  }
  server.knownFolders.clear();
}

/** Ferry makes folders below WEBDAV_URL, and not that one. */
export function noFolder(): FerryError {
  return new FerryError(
    'not-found',
    'There is no folder at WEBDAV_URL. Correct the address; folders below it, such as WEBDAV_PATH, are made by Ferry.',
    { retry: 'never' },
  );
}
