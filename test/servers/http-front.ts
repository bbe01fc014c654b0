import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  createServer as createHttpServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
  request as sendRequest,
} from 'node:http';
import { createServer as createHttpsServer, request as sendSealedRequest } from 'node:https';
import { listenOnLoopback, stopServer } from '../../local/loopback.ts';

/** One request as it came over the wire, and the answer that the server behind gave. */
export interface Seen {
  readonly method: string;
  /** Decoded, with the bucket in front where the client uses path style. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: number;
  /** Of the body that arrived, lowercase hex. */
  readonly sha256: string;
  /** Missing where the server behind was not asked. */
  answer?: { readonly status: number; readonly text: string };
}

export interface CannedAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/**
 * What happens to one request; undefined passes it on.
 * - `lose-request`: the connection breaks, and the server behind is not asked.
 * - `lose-answer`: the server behind does the work, and the connection breaks before the answer.
 * - `cut-answer`: half of the answer's body arrives.
 * - a Buffer: passed on with this body instead.
 * - a function: called when the server behind has answered; what it gives becomes of the answer.
 */
export type Reaction =
  | 'lose-request'
  | 'lose-answer'
  | 'cut-answer'
  | CannedAnswer
  | Buffer
  | (() => Promise<'lose-answer' | undefined>)
  | undefined;

export type React = (seen: Seen, body: Buffer) => Reaction | Promise<Reaction>;

export interface Front {
  /** `http://127.0.0.1:<port>`, or https */
  readonly endpoint: string;
  readonly seen: readonly Seen[];
  /** Replaces what happens to requests from now on. */
  react(reaction: React): void;
  stop(): Promise<void>;
}

/**
 * An HTTP server in front of another that records what passes and can spoil it.
 * @param spell as which path a request's own one, and that in its `Destination`, goes to the server behind
 */
export async function startFront(
  target: string,
  tls?: { readonly key: string; readonly cert: string },
  spell?: (path: string) => Promise<string>,
): Promise<Front> {
  const seen: Seen[] = [];
  let react: React = () => undefined;

  const handle = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const body = await collect(incoming);
    if (spell) await respell(incoming, spell);
    const url = new URL(incoming.url ?? '/', target);
    const exchange: Seen = {
      method: incoming.method ?? '',
      path: decodeURIComponent(url.pathname),
      query: url.searchParams,
      headers: incoming.headers,
      bytes: body.length,
      sha256: createHash('sha256').update(body).digest('hex'),
    };
    seen.push(exchange);
    let reaction = await react(exchange, body);
    if (reaction === 'lose-request') {
      outgoing.destroy();
      return;
    }
    if (typeof reaction === 'object' && !Buffer.isBuffer(reaction)) {
      outgoing.writeHead(reaction.status, reaction.headers).end(reaction.body);
      return;
    }
    const answer = await passOn(target, incoming, Buffer.isBuffer(reaction) ? reaction : body);
    const bytes = await collect(answer);
    exchange.answer = { status: answer.statusCode ?? 0, text: bytes.subarray(0, 4096).toString() };
    if (typeof reaction === 'function') reaction = await reaction();
    if (reaction === 'lose-answer') {
      outgoing.destroy();
      return;
    }
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    if (reaction === 'cut-answer') {
      outgoing.write(bytes.subarray(0, bytes.length / 2), () => outgoing.destroy());
    } else {
      outgoing.end(bytes);
    }
  };
  const listener = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    handle(incoming, outgoing).catch(() => outgoing.destroy());
  };
  const server = tls ? createHttpsServer({ ...tls }, listener) : createHttpServer(listener);
  // Nobody sends into a connection that is being closed since there was nothing to say for a while.
  server.keepAliveTimeout = 0;
  const port = await listenOnLoopback(server);
  return {
    endpoint: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    seen,
    react(reaction) {
      react = reaction;
    },
    stop: () => stopServer(server),
  };
}

async function respell(incoming: IncomingMessage, spell: (path: string) => Promise<string>) {
  incoming.url = await spell(incoming.url ?? '/');
  const { destination } = incoming.headers;
  if (typeof destination !== 'string') return;
  const to = new URL(destination, 'http://127.0.0.1');
  incoming.headers.destination = destination.replace(to.pathname, await spell(to.pathname));
}

/** Headers pass unchanged, `host` too: it is signed. */
async function passOn(target: string, incoming: IncomingMessage, body: Buffer) {
  const { hostname, port } = new URL(target);
  const { method, url: path, headers } = incoming;
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const to = { host: hostname, port, method, path, headers, agent: false };
  const send = target.startsWith('https:')
    ? sendSealedRequest({ ...to, rejectUnauthorized: false }, resolve)
    : sendRequest(to, resolve);
  send.on('error', reject).end(body);
  return promise;
}

async function collect(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(stream, 'end');
  return Buffer.concat(chunks);
}
