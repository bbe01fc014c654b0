import { type IncomingMessage, request as sendRequest } from 'node:http';
import { request as sendSealedRequest } from 'node:https';
import { Readable } from 'node:stream';
import type { Egress, Purpose } from '../../core/egress.ts';
import { FerryError } from '../../core/errors.ts';
import { createAgents } from '../http/agents.ts';
import type { DropboxSettings } from './settings.ts';

/** Parts under way and a few small requests beside them. */
const SOCKETS = 24;
/** Bytes of a body that are handed over at once. */
const SLICE = 1024 * 1024;
/** An answer in JSON is far smaller; the largest page of a list has 2,000 entries. */
const LARGEST_ANSWER = 16 * 1024 * 1024;
/** Certificates are checked by the public roots: neither Dropbox nor a test server needs another way. */
export const TRUST = { insecure: false, authorities: [] };
const ADDRESS = 'DROPBOX_ENDPOINT or DROPBOX_OAUTH2_ENDPOINT';
export const PURPOSE: Purpose = { type: 'dropbox', settings: { host: ADDRESS, port: ADDRESS } };
/** Statuses whose answers have no body (Fetch standard, "null body status"). */
const WITHOUT_BODY = [204, 205, 304];

/** One request as the official client wants it sent. */
export interface Outgoing {
  readonly method?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: string | Uint8Array | null | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Sends requests over sockets of one destination's own. */
export interface Transport {
  /** The answer as it comes in, whose body the caller reads or destroys. */
  send(url: string, request: Outgoing): Promise<IncomingMessage>;
  /** `fetch` for the official client: the whole answer. Redirects are not followed. */
  fetch(url: string, request: Outgoing): Promise<Response>;
  close(): void;
}

type Endpoints = Pick<DropboxSettings, 'endpoint' | 'oauthEndpoint'>;

/** Makes no connection yet. */
export function openTransport(endpoints: Endpoints, egress: Egress): Transport {
  const agents = createAgents(TRUST, SOCKETS, egress, PURPOSE);

  const send = (url: string, given: Outgoing): Promise<IncomingMessage> => {
    const { to, body, headers } = addressed(url, given, endpoints);
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const sealed = to.protocol === 'https:';
    const request = (sealed ? sendSealedRequest : sendRequest)(
      to,
      {
        method: given.method ?? 'GET',
        headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) },
        agent: sealed ? agents.httpsAgent : agents.httpAgent,
        ...(given.signal ? { signal: given.signal } : {}),
      },
      resolve,
    );
    Readable.from(slices(typeof body === 'string' ? Buffer.from(body) : body), { highWaterMark: 1 })
      .pipe(request)
      .on('error', reject);
    return promise;
  };

  return {
    send,
    async fetch(url, given) {
      const answer = await send(url, given);
      const status = answer.statusCode ?? 500;
      const body = await collect(answer);
      const headers = new Headers();
      for (const [name, value] of Object.entries(answer.headers)) {
        if (value !== undefined) headers.set(name, String(value));
      }
      return new Response(WITHOUT_BODY.includes(status) ? null : body, { status, headers });
    },
    close() {
      agents.httpAgent.destroy();
      agents.httpsAgent.destroy();
    },
  };
}

/**
 * Where a request really goes, and how. The official client puts keys and tokens into the URL of a
 * request for a token; they go into its body, where no proxy writes them down (RFC 6749, 2.3.1).
 */
function addressed(url: string, { headers = {}, body }: Outgoing, endpoints: Endpoints) {
  const asked = new URL(url);
  const isToken = asked.pathname === '/oauth2/token';
  const base = isToken ? endpoints.oauthEndpoint : endpoints.endpoint;
  const to = new URL(base ?? asked.origin);
  to.pathname = `${to.pathname.replace(/\/$/, '')}${asked.pathname}`;
  if (!isToken) return { to, headers, body: body ?? '' };
  const type = { 'Content-Type': 'application/x-www-form-urlencoded' };
  return { to, headers: { ...headers, ...type }, body: asked.searchParams.toString() };
}

/** TLS keeps what it has made of all that it was given: a whole piece would be in memory twice. */
function* slices(body: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < body.length; at += SLICE) yield body.subarray(at, at + SLICE);
}

async function collect(answer: IncomingMessage): Promise<Buffer<ArrayBuffer>> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer) {
    chunks.push(chunk);
    size += chunk.length;
    if (size <= LARGEST_ANSWER) continue;
    throw new FerryError(
      'protocol',
      'The server sends more than Dropbox ever would. Check DROPBOX_ENDPOINT.',
      { retry: 'never' },
    );
  }
  return Buffer.concat(chunks);
}
