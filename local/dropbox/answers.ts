import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { Answer } from './routes.ts';
import type { StoredFile } from './tree.ts';

/** JSON that may stand in a header: dropbox.com/developers/reference/json-encoding */
function headerSafe(value: unknown): string {
  const escapeOne = (text: string) => `\\u${text.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(value).replace(/[\u007f-\uffff]/g, escapeOne);
}

/** A text as it is, anything else as JSON. */
export function send(
  response: ServerResponse,
  status: number,
  body: string | object | null,
  headers: Readonly<Record<string, string>> = {},
): void {
  const isText = typeof body === 'string';
  const type = isText ? 'text/plain; charset=utf-8' : 'application/json';
  const requestId = randomBytes(16).toString('hex');
  response
    .writeHead(status, { 'content-type': type, 'x-dropbox-request-id': requestId, ...headers })
    .end(isText ? body : JSON.stringify(body));
}

/** What a route gives: its result as JSON, or a file with the result in a header. */
export async function sendAnswer(
  request: IncomingMessage,
  response: ServerResponse,
  { result, file }: Answer,
): Promise<void> {
  if (!file) send(response, 200, result);
  else await sendFile(request, response, result, file);
}

/** With `Range` (RFC 9110, 14.2), which content-download routes heed. */
async function sendFile(
  { headers }: IncomingMessage,
  response: ServerResponse,
  result: object | null,
  { blob, size }: StoredFile,
): Promise<void> {
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '') ?? [];
  const start = Number(first ?? 0);
  const end = Math.min(last === undefined || last === '' ? size - 1 : Number(last), size - 1);
  const isPartial = first !== undefined;
  if (isPartial && start >= size) {
    response.writeHead(416, { 'content-range': `bytes */${size}` }).end();
    return;
  }
  response.writeHead(isPartial ? 206 : 200, {
    'content-type': 'application/octet-stream',
    'content-length': end - start + 1,
    'accept-ranges': 'bytes',
    'dropbox-api-result': headerSafe(result),
    ...(isPartial ? { 'content-range': `bytes ${start}-${end}/${size}` } : {}),
  });
  if (size === 0) response.end();
  else await pipeline(createReadStream(blob, { start, end }), response);
}
