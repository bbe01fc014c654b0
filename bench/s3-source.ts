import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { listenOnLoopback } from '../local/loopback.ts';
import { sampleBytes } from '../test/contract/sample.ts';
import { repeated } from './repeated.ts';

/** The component folder of every user. */
export const COMPONENT = 'html';
const MIB = 1024 ** 2;
/** Every archive is this, again and again: any size of it is there without memory or disk. */
const BLOCK = sampleBytes(16 * MIB, 'bench');
/** An archive up to this size was staged by one request, so that its ETag is an MD5. */
const SINGLE = 8 * MIB;
const STAGED_AT = new Date('2026-01-01T00:00:00Z');

/** For whom so many archives of so many bytes are staged. */
export function userOf(bytes: number, archives = 1): string {
  return `size-${bytes}-${archives}`;
}

/** Their names. */
export function filesOf(archives: number): readonly string[] {
  return Array.from({ length: archives }, (_, n) => `archive-${String(n).padStart(4, '0')}.tar`);
}

/**
 * A staging bucket on an S3 server that is never the bottleneck: it has so many archives for each user
 * `size-<bytes>-<archives>`, of so many random bytes out of memory, and knows the requests that reading takes:
 * ListObjectsV2, HeadObject, GetObject with a range or without. It checks no signatures, as the
 * embedded one of `npm start` does not either.
 */
export async function startS3Source(): Promise<{ readonly port: number }> {
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  const port = await listenOnLoopback(server);
  return { port };
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://source');
  const [, , user = '', ...path] = decodeURIComponent(url.pathname).split('/');
  if (user === '') {
    list(url.searchParams.get('prefix') ?? '', response);
    return;
  }
  const staged = readUser(user);
  const [component, file = ''] = path;
  if (!staged || component !== COMPONENT || !filesOf(staged.archives).includes(file)) {
    response.writeHead(404, { 'content-type': 'application/xml' });
    response.end(request.method === 'HEAD' ? '' : '<Error><Code>NoSuchKey</Code></Error>');
    return;
  }
  const { size } = staged;
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  const from = Number(range?.[1] ?? 0);
  const to = Math.min(size, range?.[2] ? Number(range[2]) + 1 : size);
  response.writeHead(range ? 206 : 200, {
    'accept-ranges': 'bytes',
    'content-length': to - from,
    'content-type': 'application/x-tar',
    etag: etagOf(size),
    'last-modified': STAGED_AT.toUTCString(),
    ...(range && { 'content-range': `bytes ${from}-${to - 1}/${size}` }),
  });
  if (request.method === 'HEAD') response.end();
  else await pipeline(repeated(BLOCK, from, to), response);
}

function list(prefix: string, response: ServerResponse): void {
  const user = prefix.split('/')[0] ?? '';
  const { archives, size } = readUser(user) ?? { archives: 0, size: 0 };
  const etag = etagOf(size).replaceAll('"', '&quot;');
  const contents = filesOf(archives).map(
    (file) =>
      `<Contents><Key>${user}/${COMPONENT}/${file}</Key><LastModified>${STAGED_AT.toISOString()}</LastModified>` +
      `<ETag>${etag}</ETag><Size>${size}</Size></Contents>`,
  );
  response.writeHead(200, { 'content-type': 'application/xml' });
  response.end(
    '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' +
      `<IsTruncated>false</IsTruncated>${contents.join('')}</ListBucketResult>`,
  );
}

function readUser(user: string): { readonly size: number; readonly archives: number } | undefined {
  const [, size, archives] = /^size-(\d+)-(\d+)$/.exec(user) ?? [];
  return size === undefined ? undefined : { size: Number(size), archives: Number(archives) };
}

function etagOf(size: number): string {
  const hash = createHash('md5').update(size <= SINGLE ? BLOCK.subarray(0, size) : String(size));
  const parts = size <= SINGLE ? '' : `-${Math.ceil(size / SINGLE)}`;
  return `"${hash.digest('hex')}${parts}"`;
}
