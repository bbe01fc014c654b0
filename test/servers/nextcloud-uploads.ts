import { createReadStream, createWriteStream, type Stats } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { setTimeout as wait } from 'node:timers/promises';
import {
  type DavAnswer,
  type DavRequest,
  describeFile,
  describeFolder,
  Refusal,
  toMultistatus,
} from './nextcloud-answers.ts';
import {
  ensureParent,
  ensureRoom,
  look,
  pathOf,
  place,
  receive,
  type Store,
} from './nextcloud-files.ts';

/** How a fake Nextcloud takes files in chunks. */
export interface Chunking {
  /**
   * `v1`: chunks are plain files, put together in the order of their names; their sum is checked.
   * `v2`: they are parts of a multipart upload at an object store, whose sum nobody checks, of which a
   * memory cache knows; a request without Destination, or for which the cache knows nothing, falls
   * through to `v1`, except PUT, which is refused.
   */
  readonly version: 'v1' | 'v2';
  /** The smallest chunk but for the last one, in v2. */
  readonly leastChunkBytes: number;
  /** Whether a list of an upload shows the parts of v2, as newer versions do. */
  readonly listsParts: boolean;
  /** Putting together takes so long; the proxy in front answers 504 before that. */
  readonly assembly?: { readonly takesMs: number; readonly answersMs: number } | undefined;
}

export interface Uploads {
  /** Answers a request for `<id>` or `<id>/<chunk>`. */
  answer(request: DavRequest): Promise<DavAnswer>;
  /** A day goes by: v1 removes its folders, and the cache of v2 forgets its uploads. */
  expire(): Promise<void>;
}

/** Holds the parts of v2, which are no files of the folder to anybody. */
const PARTS = '.parts';
const WHOLE = '.file';
const byNumber = new Intl.Collator('en', { numeric: true });

/** Chunked uploads as ChunkingPlugin.php and ChunkingV2Plugin.php of nextcloud/server make them. */
export function openUploads(store: Store, chunking: Chunking): Uploads {
  /** What the cache knows: uploads that were begun with a Destination. */
  const begun = new Set<string>();
  const busy = new Set<string>();
  const isV2 = (id: string, { headers }: DavRequest) =>
    chunking.version === 'v2' && headers.destination !== undefined && begun.has(id);

  const make = async (id: string, folder: string, request: DavRequest) => {
    if (await look(folder)) throw new Refusal(405, 'The resource already exists');
    await mkdir(join(folder, PARTS), { recursive: true });
    if (request.headers.destination !== undefined) begun.add(id);
    return { status: 201 };
  };

  const put = async (id: string, folder: string, name: string, request: DavRequest) => {
    if (!name || name === WHOLE) throw new Refusal(403, 'Permission denied to put into this file');
    if (!(await look(folder))) throw new Refusal(409, 'Files cannot be created there');
    const isForV2 = chunking.version === 'v2' && request.headers.destination !== undefined;
    if (isForV2 && !begun.has(id)) throw new Refusal(412, 'Missing metadata for chunked upload.');
    const number = Number(name);
    if (isForV2 && !(Number.isInteger(number) && number >= 1 && number <= 10_000)) {
      throw new Refusal(400, 'Invalid chunk name, must be numeric between 1 and 10000');
    }
    await ensureRoom(store, Number(request.headers['oc-total-length'] ?? 0));
    const path = isForV2 ? join(folder, PARTS, `${number}`) : join(folder, name);
    const isThere = !isForV2 && (await look(path)) !== undefined;
    await rename(await receive(store, request), path);
    return { status: isThere ? 204 : 201 };
  };

  const assemble = async (id: string, folder: string, request: DavRequest) => {
    const names = request.destination();
    const target = pathOf(store, names);
    await ensureParent(store, names, 'The destination node is not found');
    present(await look(folder));
    const v2 = isV2(id, request);
    const chunks = await chunksIn(v2 ? join(folder, PARTS) : folder);
    const size = chunks.reduce((sum, { stats }) => sum + stats.size, 0);
    await ensureRoom(store, size);
    const expected = request.headers['oc-total-length'];
    if (!v2 && expected !== undefined && Number(expected) !== size) {
      throw new Refusal(400, `Chunks on server do not sum up to ${expected} but to ${size} bytes`);
    }
    const isSmall = chunks.slice(0, -1).some(({ stats }) => stats.size < chunking.leastChunkBytes);
    if (v2 && (isSmall || chunks.length === 0)) {
      await rm(join(folder, PARTS), { recursive: true });
      throw new Refusal(500, 'Could not write chunked file');
    }
    const whole = join(store.temporary, id);
    for (const [at, { path }] of chunks.entries()) {
      await pipeline(createReadStream(path), createWriteStream(whole, { flags: at ? 'a' : 'w' }));
    }
    await wait(chunking.assembly?.takesMs ?? 0);
    const answer = await place(whole, target, request.headers['x-oc-mtime']);
    await rm(folder, { recursive: true });
    begun.delete(id);
    return answer;
  };

  const move = async (id: string, folder: string, name: string, request: DavRequest) => {
    if (name !== WHOLE) throw new Refusal(501, 'The fake moves nothing but the whole.');
    busy.add(id);
    const work = assemble(id, folder, request).finally(() => busy.delete(id));
    const { assembly } = chunking;
    if (!assembly) return work;
    const impatience = wait(assembly.answersMs, { status: 504, body: 'Gateway Time-out' });
    return Promise.race([work, impatience]);
  };

  const describe = async (id: string, folder: string, name: string, request: DavRequest) => {
    const found = present(await look(folder));
    const plain = await chunksIn(folder);
    const isKnown = chunking.version === 'v2' && begun.has(id);
    const parts = isKnown && chunking.listsParts ? await chunksIn(join(folder, PARTS)) : [];
    const size = plain.reduce((sum, { stats }) => sum + stats.size, 0);
    const inside = [
      { name: WHOLE, size, stats: found },
      ...(chunking.version === 'v2' ? [{ name: '.target', size: 0, stats: found }] : []),
      ...[...plain, ...parts].map((chunk) => ({ ...chunk, size: chunk.stats.size })),
    ];
    const listed = request.headers.depth === '0' ? [] : inside;
    const one = inside.find((chunk) => chunk.name === name);
    const described = name
      ? [describeFile(request.href, present(one).size, present(one).stats)]
      : [
          describeFolder(request.href, found, size, -3),
          ...listed.map((chunk) =>
            describeFile(
              `${request.href}/${encodeURIComponent(chunk.name)}`,
              chunk.size,
              chunk.stats,
            ),
          ),
        ];
    return toMultistatus(described, await text(request.body));
  };

  const remove = async (id: string, folder: string, name: string) => {
    const path = name === WHOLE ? folder : join(folder, name);
    present(await look(path));
    await rm(path, { recursive: true });
    if (path === folder) begun.delete(id);
    return { status: 204 };
  };

  return {
    async answer(request) {
      const [id = '', name = '', ...more] = request.names;
      const isStrange = more.length > 0 || [id, name].some((one) => /\/|^\.\.|^\.parts/.test(one));
      if (id === '' || isStrange) throw new Refusal(403, 'Permission denied');
      const folder = join(store.uploads, id);
      if (busy.has(id) && request.method !== 'PROPFIND') {
        throw new Refusal(423, `"${id}" is locked`);
      }
      switch (request.method) {
        case 'PROPFIND':
          return describe(id, folder, name, request);
        case 'DELETE':
          return remove(id, folder, name);
        case 'MKCOL':
          if (name) throw new Refusal(403, 'Permission denied to create a folder');
          return make(id, folder, request);
        case 'PUT':
          return put(id, folder, name, request);
        case 'MOVE':
          return move(id, folder, name, request);
        default:
          throw new Refusal(405, 'Reading intermediate uploads is not allowed');
      }
    },
    async expire() {
      begun.clear();
      if (chunking.version === 'v2') return;
      for (const id of await readdir(store.uploads)) {
        await rm(join(store.uploads, id), { recursive: true });
      }
    },
  };
}

function present<T>(found: T | undefined): T {
  if (found === undefined) throw new Refusal(404, 'File could not be located');
  return found;
}

async function chunksIn(folder: string) {
  const chunks: { name: string; path: string; stats: Stats }[] = [];
  const names = await readdir(folder).catch(() => []);
  for (const name of names.sort(byNumber.compare)) {
    const path = join(folder, name);
    const stats = await stat(path);
    if (stats.isFile()) chunks.push({ name, path, stats });
  }
  return chunks;
}
