import { once } from 'node:events';
import { type IncomingMessage, type RequestOptions, request as sendRequest } from 'node:http';
import { request as sendSealedRequest } from 'node:https';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { sampleBytes } from '../test/contract/sample.ts';
import { repeated } from './repeated.ts';

const PIECE = sampleBytes(1024 ** 2, 'push');

/** Writes so many bytes as fast as they are taken, and ends. */
export async function pour(into: Writable, bytes: number): Promise<void> {
  await pipeline(repeated(PIECE, 0, bytes), into);
}

/** Sends a request with so many bytes. @throws Error where the server does not take them */
export async function sendBytes(
  url: string,
  bytes: number,
  options: RequestOptions & { readonly ca?: string },
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const { headers, ...rest } = options;
  const given = { ...rest, headers: { ...headers, 'content-length': bytes } };
  const send = url.startsWith('https:') ? sendSealedRequest : sendRequest;
  const request = send(url, given, resolve).on('error', reject);
  const sending = pour(request, bytes);
  // A server that refuses may answer before it has read everything.
  sending.catch(() => undefined);
  await textOf(await promise);
  await sending;
}

/** Calls a route that takes and gives JSON. @throws Error where it refuses */
export async function callJson(
  url: string,
  argument: object,
  options: RequestOptions & { readonly ca?: string },
): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const { headers, ...rest } = options;
  const given = { ...headers, 'content-type': 'application/json' };
  sendSealedRequest(url, { ...rest, method: 'POST', headers: given }, resolve)
    .on('error', reject)
    .end(JSON.stringify(argument));
  return JSON.parse(await textOf(await promise));
}

/** @throws Error for an answer that is no success */
async function textOf(answer: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of answer) text += chunk;
  const { statusCode = 0 } = answer;
  if (statusCode < 200 || statusCode > 299) throw new Error(`${statusCode} ${text.slice(0, 500)}`);
  return text;
}

/** Reads an address to its end, and forgets what it has. */
export async function drain(url: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  sendRequest(url, resolve).on('error', reject).end();
  const answer = await promise;
  answer.resume();
  await once(answer, 'end');
  if (answer.statusCode !== 200) throw new Error(`${url} answers ${answer.statusCode}.`);
}
