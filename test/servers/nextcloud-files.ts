import { randomBytes } from 'node:crypto';
import { createWriteStream, type Stats } from 'node:fs';
import { mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import {
  type DavAnswer,
  type DavRequest,
  type Described,
  describeFile,
  describeFolder,
  etagOf,
  Refusal,
  toMultistatus,
} from './nextcloud-answers.ts';

/** Where the fake keeps things, and how much of them. */
export interface Store {
  /** What the user sees. */
  readonly files: string;
  readonly uploads: string;
  /** For what has not arrived whole. */
  readonly temporary: string;
  /** Bytes that the user may have. */
  readonly quotaBytes?: number | undefined;
}

/** Answers a request for the user's files. */
export async function answerForFiles(store: Store, request: DavRequest): Promise<DavAnswer> {
  const path = pathOf(store, request.names);
  const found = await look(path);
  switch (request.method) {
    case 'PROPFIND':
      return describe(store, request, present(found, request));
    case 'GET':
    case 'HEAD':
      return read(path, present(found, request), request);
    case 'PUT':
      return put(store, request, path, found);
    case 'MKCOL':
      if (found) throw new Refusal(405, 'The resource you tried to create already exists');
      await ensureParent(store, request.names, 'Parent node does not exist');
      await mkdir(path);
      return { status: 201 };
    case 'DELETE':
      present(found, request);
      if (request.names.length === 0) throw new Refusal(403, '');
      await rm(path, { recursive: true });
      return { status: 204 };
    case 'MOVE':
      return move(store, request, path, present(found, request));
    default:
      throw new Refusal(501, `There was no plugin that was willing to handle ${request.method}`);
  }
}

/**
 * Where a file is on this disk. Nextcloud stores names in NFC, and answers 400 wherever a name occurs
 * that it forbids (lib/private/Files/FilenameValidator.php).
 */
export function pathOf({ files }: Store, names: readonly string[]): string {
  for (const name of names) {
    const isForbidden =
      /[\\/\p{Cc}]|\.(?:file)?part$|^\.htaccess$|^\.{1,2}$/iu.test(name) ||
      Buffer.byteLength(name) > 250;
    if (isForbidden) throw new Refusal(400, `"${name}" is a forbidden file or folder name.`);
  }
  return join(files, ...names.map((name) => name.normalize('NFC')));
}

export function look(path: string): Promise<Stats | undefined> {
  return stat(path).catch(() => undefined);
}

/** @throws Refusal 409 where the folder that something belongs into is missing */
export async function ensureParent(
  store: Store,
  names: readonly string[],
  message: string,
): Promise<void> {
  const parent = await look(pathOf(store, names.slice(0, -1)));
  if (!parent?.isDirectory()) throw new Refusal(409, message);
}

/** @throws Refusal 507 where a quota does not leave room for so many bytes */
export async function ensureRoom(store: Store, bytes: number): Promise<void> {
  const free = await freeIn(store);
  if (free >= 0 && bytes > free) {
    throw new Refusal(507, `Insufficient space, ${bytes} required, ${free} available`);
  }
}

/** Takes in a body, and gives the path of a file that is whole. Of a request that breaks off nothing stays. */
export async function receive(store: Store, request: DavRequest): Promise<string> {
  const expected = request.headers['content-length'];
  const path = join(store.temporary, randomBytes(8).toString('hex'));
  try {
    await pipeline(request.body, createWriteStream(path));
    const { size } = await stat(path);
    if (expected !== undefined && size !== Number(expected)) {
      throw new Refusal(400, `Expected filesize of ${expected} bytes but read ${size} bytes`);
    }
    return path;
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}

/** Puts a whole file where the user sees it, with the time that the client wishes for it. */
export async function place(source: string, path: string, mtime: unknown): Promise<DavAnswer> {
  const isThere = (await look(path)) !== undefined;
  if (typeof mtime === 'string') await utimes(source, Number(mtime), Number(mtime));
  await rename(source, path);
  return {
    status: isThere ? 204 : 201,
    headers: {
      etag: etagOf(await stat(path)),
      ...(typeof mtime === 'string' ? { 'x-oc-mtime': 'accepted' } : {}),
    },
  };
}

function present(found: Stats | undefined, { names }: DavRequest): Stats {
  if (!found) throw new Refusal(404, `File with name ${names.at(-1)} could not be located`);
  return found;
}

async function put(
  store: Store,
  request: DavRequest,
  path: string,
  found: Stats | undefined,
): Promise<DavAnswer> {
  const { headers, names } = request;
  if (headers['content-range']) {
    throw new Refusal(400, 'Content-Range on PUT requests are forbidden.');
  }
  if (found && headers['if-none-match'] === '*') {
    throw new Refusal(412, 'An If-None-Match header was specified, but the ETag matched.');
  }
  if (found?.isDirectory()) throw new Refusal(409, 'PUT is not allowed on non-files.');
  await ensureParent(store, names, 'Files cannot be created in non-existent collections');
  await ensureRoom(store, Number(headers['content-length'] ?? 0));
  return place(await receive(store, request), path, headers['x-oc-mtime']);
}

async function move(store: Store, request: DavRequest, path: string, source: Stats) {
  const names = request.destination();
  const target = pathOf(store, names);
  await ensureParent(store, names, 'The destination node is not found');
  if (target === path) throw new Refusal(403, 'Source and destination uri are identical.');
  const older = await look(target);
  if (older && request.headers.overwrite === 'F') {
    throw new Refusal(412, 'The destination node already exists');
  }
  if (older?.isDirectory() || (older && source.isDirectory()))
    await rm(target, { recursive: true });
  await rename(path, target);
  return { status: older ? 204 : 201 };
}

function read(path: string, found: Stats, { headers }: DavRequest): DavAnswer {
  if (found.isDirectory()) throw new Refusal(501, 'GET is only implemented for file objects');
  const { size } = found;
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(headers.range ?? '') ?? [];
  const isPart = Boolean(first || last);
  const start = first ? Number(first) : last ? Math.max(0, size - Number(last)) : 0;
  const end = first && last ? Math.min(Number(last), size - 1) : size - 1;
  if (isPart && start >= size) throw new Refusal(416, 'The start offset is beyond the file');
  return {
    status: isPart ? 206 : 200,
    headers: {
      'content-length': `${end - start + 1}`,
      ...(isPart ? { 'content-range': `bytes ${start}-${end}/${size}` } : {}),
      etag: etagOf(found),
    },
    body: { path, start, end },
  };
}

async function describe(store: Store, request: DavRequest, found: Stats): Promise<DavAnswer> {
  const { href, names, headers, body } = request;
  const one = async (at: string, stats: Stats, path: string): Promise<Described> => {
    if (stats.isFile()) return describeFile(at, stats.size, stats);
    return describeFolder(at, stats, await usedBy(path), await freeIn(store));
  };
  const path = pathOf(store, names);
  const described = [await one(href, found, path)];
  if (found.isDirectory() && headers.depth !== '0') {
    for (const name of await readdir(path)) {
      const child = join(path, name);
      described.push(await one(`${href}/${encodeURIComponent(name)}`, await stat(child), child));
    }
  }
  return toMultistatus(described, await text(body));
}

/** Bytes; -3 for no limit. */
async function freeIn({ files, quotaBytes }: Store): Promise<number> {
  return quotaBytes === undefined ? -3 : Math.max(0, quotaBytes - (await usedBy(files)));
}

async function usedBy(folder: string): Promise<number> {
  const inside = await readdir(folder, { recursive: true });
  const sizes = await Promise.all(inside.map((name) => look(join(folder, name))));
  return sizes.reduce((sum, found) => sum + (found?.isFile() ? found.size : 0), 0);
}
