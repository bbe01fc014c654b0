import { posix } from 'node:path';
import { FerryError } from '../../core/errors.ts';
import type { RemoteStat } from '../contract.ts';
import { readBody } from '../http/body.ts';
import { webdavError } from './errors.ts';
import { type Entry, look, lookInto } from './properties.ts';
import { isTemporary } from './remote-path.ts';
import type { Server } from './server.ts';

/** A file as the contract tells of it; undefined where there is none. */
export async function statFile(
  server: Server,
  path: string,
  signal: AbortSignal,
): Promise<RemoteStat | undefined> {
  const found = await look(server, server.fileUrl(path), signal);
  return found?.kind === 'file' ? toStat(path, found) : undefined;
}

/**
 * Every file below a folder of the destination, at any depth, but for temporary ones. One folder at a
 * time, since many servers refuse to tell of all at once (RFC 4918, 9.1, Depth infinity).
 */
export async function* listFiles(
  server: Server,
  folder: string,
  signal: AbortSignal,
): AsyncGenerator<RemoteStat> {
  const inside = await lookInto(server, server.folderUrl(folder), signal);
  for (const entry of inside ?? []) {
    const path = posix.join(folder, entry.name);
    if (entry.kind === 'folder') yield* listFiles(server, path, signal);
    else if (!isTemporary(entry.name)) yield toStat(path, entry);
  }
}

function toStat(path: string, { size, modified }: Entry): RemoteStat {
  const time = Date.parse(modified ?? '');
  return { path, size, modifiedAt: new Date(Number.isNaN(time) ? 0 : time) };
}

/** The bytes of a file from `from` up to, not including, `to`; also from servers that give all or nothing. */
export async function* readFile(
  server: Server,
  path: string,
  signal: AbortSignal,
  { from, to }: { readonly from: number; readonly to: number } = { from: 0, to: Infinity },
): AsyncGenerator<Uint8Array> {
  if (from >= to) return;
  const isPart = from > 0 || to < Infinity;
  const last = to < Infinity ? String(to - 1) : '';
  const { status, headers, body } = await server.open(signal, {
    method: 'GET',
    url: server.fileUrl(path),
    headers: {
      'accept-encoding': 'identity',
      ...(isPart ? { range: `bytes=${from}-${last}` } : {}),
    },
    expect: [416],
  });
  // Nothing of the file is in the range.
  if (status === 416) {
    body.destroy();
    return;
  }
  let at = status === 206 ? startOf(headers.get('content-range')) : 0;
  if (at === undefined || at > from) {
    body.destroy();
    throw otherRange();
  }
  try {
    for await (const chunk of readBody(body, signal)) {
      const wanted = chunk.subarray(Math.max(0, from - at), Math.max(0, to - at));
      at += chunk.length;
      if (wanted.length > 0) yield wanted;
      if (at >= to) return;
    }
  } catch (thrown) {
    throw webdavError(thrown, signal);
  }
}

/** Where a piece begins (RFC 9110, 14.4). */
function startOf(contentRange: string | null): number | undefined {
  const [, start] = /^bytes (\d+)-/.exec(contentRange ?? '') ?? [];
  return start === undefined ? undefined : Number(start);
}

function otherRange(): FerryError {
  return new FerryError(
    'protocol',
    'The server gives another piece of the file than it was asked for. Look for a proxy that alters requests.',
    { retry: 'later' },
  );
}
