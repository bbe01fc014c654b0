import {
  type Agent,
  type ClientRequest,
  type ClientRequestArgs,
  request as httpRequest,
  IncomingMessage,
} from 'node:http';
import { request as httpsRequest } from 'node:https';
import { Readable } from 'node:stream';
import { getPatcher } from 'webdav';
import * as z from 'zod';

/** What a server answers; `body` has to be read to its end or destroyed. */
export interface Answer {
  readonly ok: boolean;
  readonly status: number;
  readonly statusText: string;
  readonly url: string;
  readonly headers: Headers;
  readonly body: IncomingMessage;
  /** Every way to log in that the server names, as it writes them. */
  readonly challenges: readonly string[];
}

/** What the `webdav` package gives to its `fetch`. */
const call = z.tuple([
  z.string(),
  z.object({
    method: z.string(),
    headers: z.record(z.string(), z.string()),
    body: z.union([z.string(), z.instanceof(Uint8Array), z.instanceof(Readable)]).optional(),
    signal: z.instanceof(AbortSignal).optional(),
    agent: z.custom<(url: URL) => Agent>((value) => typeof value === 'function'),
  }),
]);
type Options = z.output<typeof call>[1];

/** What a body that is a stream is made of. */
export interface Piece {
  readonly bytes: Uint8Array;
  /** Called when the bytes have been handed to the system, and may be written over. */
  sent(): void;
}

const piece = z.object({
  bytes: z.instanceof(Uint8Array),
  sent: z.custom<() => void>((value) => typeof value === 'function'),
});

// The package's own follows redirects, to any host, and has no setting for that. It keeps one `fetch`
// for the process; Ferry uses the package here alone.
getPatcher().patch('fetch', (...given) => exchange(...call.parse(given)));

/** Whether something is what `exchange` gave. */
export function isAnswer(value: unknown): value is Answer {
  return (
    typeof value === 'object' &&
    value !== null &&
    'body' in value &&
    value.body instanceof IncomingMessage
  );
}

/**
 * One request and its answer, wherever that points. A body that is a stream of `Piece`s is sent with the
 * `Content-Length` of the headers and no faster than the server takes it.
 */
function exchange(url: string, options: Options): Promise<Answer> {
  const { method, headers, body, signal, agent } = options;
  const target = new URL(url);
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const how: ClientRequestArgs = {
    ...{ method, headers, agent: agent(target) },
    ...(signal === undefined ? {} : { signal }),
  };
  const request =
    target.protocol === 'https:' ? httpsRequest(target, how) : httpRequest(target, how);
  request.on('response', (incoming) => {
    resolve(toAnswer(url, incoming));
    // Nothing more of it is wanted, and it could not be sent again.
    if (body instanceof Readable && Number(incoming.statusCode) >= 300) body.destroy();
  });
  request.on('error', reject);
  if (!(body instanceof Readable)) request.end(body);
  else {
    sendPieces(body, request).catch((error: Error) => {
      request.destroy(error);
      reject(error);
    });
  }
  return promise;
}

/** Without a copy: the next piece is asked for when the last is with the system. */
async function sendPieces(body: Readable, request: ClientRequest): Promise<void> {
  for await (const chunk of body) {
    const { bytes, sent } = piece.parse(chunk);
    await new Promise<void>((resolve, reject) => {
      request.write(bytes, (error) => (error ? reject(error) : resolve()));
    });
    sent();
  }
  request.end();
}

function toAnswer(url: string, body: IncomingMessage): Answer {
  const { statusCode: status = 0, statusMessage: statusText = '', rawHeaders } = body;
  const headers = new Headers();
  const challenges: string[] = [];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = rawHeaders.slice(at, at + 2);
    if (name.toLowerCase() === 'www-authenticate') challenges.push(value);
    else headers.append(name, value);
  }
  // The package reads the first of several ways to log in only.
  const [first] = challenges.toSorted(
    (a, b) => Number(isUsableDigest(b)) - Number(isUsableDigest(a)),
  );
  if (first !== undefined) headers.set('www-authenticate', first);
  // The package sends again without looking at what came with a refusal.
  if (status === 401) body.resume();
  return { ok: status >= 200 && status < 300, status, statusText, url, headers, body, challenges };
}

/** The package knows MD5 alone (RFC 7616, 3.3). */
export function isUsableDigest(challenge: string): boolean {
  const [, algorithm = 'MD5'] = /algorithm="?([\w-]+)/i.exec(challenge) ?? [];
  return /^digest\s/i.test(challenge) && /^md5(-sess)?$/i.test(algorithm);
}
