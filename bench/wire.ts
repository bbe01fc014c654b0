import { once } from 'node:events';
import { createConnection, createServer, type Socket } from 'node:net';
import { listenOnLoopback } from '../local/loopback.ts';

export interface WireOptions {
  readonly to: { readonly host: string; readonly port: number };
  /** Round trip in ms; 0 adds none. */
  readonly rttMs: number;
}

export interface Wire {
  /** For clients that speak to the server. */
  readonly port: number;
  /** For clients that take an HTTP proxy: whatever host they CONNECT to, it is this server. */
  readonly proxyPort: number;
}

/** The line that is imagined: it holds what 10 Gbit/s carry until it arrives. */
const BYTES_PER_MS = 1_250_000;
const LEAST_HELD = 4 * 1024 ** 2;
/** Timers are exact to a ms: what is due in half of one is delivered now. */
const EARLY_MS = 0.5;
/** Nothing is held back, and each direction ends by itself. */
const SOCKET = { noDelay: true, allowHalfOpen: true } as const;
const LONGEST_HEADER = 16 * 1024;

/**
 * A line to a server on loopback that is long but wide: bytes arrive half a round trip later, a
 * connection is made in one, and as much is on its way as 10 Gbit/s hold. TCP at both ends is
 * loopback's own, so that windows never are what limits a connection.
 */
export async function startWire({ to, rttMs }: WireOptions): Promise<Wire> {
  const direct = createServer(SOCKET, (client) => join(client, to, rttMs));
  const proxy = createServer(SOCKET, (client) => {
    acceptConnect(client)
      .then(() => join(client, to, rttMs))
      .catch(() => client.destroy());
  });
  return { port: await listenOnLoopback(direct), proxyPort: await listenOnLoopback(proxy) };
}

/** Answers CONNECT (RFC 9110, 9.3.6) at once: the proxy stands where the client does. */
async function acceptConnect(client: Socket): Promise<void> {
  client.on('error', () => {});
  let header = Buffer.alloc(0);
  while (!header.includes('\r\n\r\n')) {
    const [bytes] = await once(client, 'data');
    header = Buffer.concat([header, bytes]);
    if (header.length > LONGEST_HEADER) throw new Error('No request.');
  }
  // Nothing is sent before the answer, so all that was read is the request.
  client.pause();
  client.write('HTTP/1.1 200 Connected\r\n\r\n');
}

function join(client: Socket, to: WireOptions['to'], rttMs: number): void {
  const server = createConnection({ ...to, ...SOCKET });
  for (const [one, other] of [
    [client, server],
    [server, client],
  ] as const) {
    // One that ends well is carried to its end.
    one.on('error', () => {}).on('close', (failed) => failed && other.destroy());
  }
  const now = performance.now();
  carry(client, server, rttMs / 2, now + rttMs);
  carry(server, client, rttMs / 2, now + rttMs / 2);
}

/** @param openAt when the sender knows of the connection, by `performance.now()` */
function carry(from: Socket, to: Socket, delayMs: number, openAt: number): void {
  if (delayMs === 0) {
    from.pipe(to);
    return;
  }
  const most = Math.max(LEAST_HELD, delayMs * BYTES_PER_MS);
  const held: { readonly due: number; readonly bytes: Buffer }[] = [];
  let heldBytes = 0;
  let isFull = false;
  let isOver = false;
  let timer: NodeJS.Timeout | undefined;

  const deliver = () => {
    timer = undefined;
    const now = performance.now();
    for (let next = held[0]; next && !isFull && next.due <= now + EARLY_MS; next = held[0]) {
      held.shift();
      heldBytes -= next.bytes.length;
      isFull = !to.write(next.bytes);
    }
    if (from.isPaused() && heldBytes < most) from.resume();
    if (held[0] && !isFull) timer = setTimeout(deliver, held[0].due - now);
    else if (!held[0] && isOver) to.end();
  };
  to.on('drain', () => {
    isFull = false;
    if (!timer) deliver();
  });
  from.on('data', (bytes: Buffer) => {
    held.push({ due: Math.max(performance.now(), openAt) + delayMs, bytes });
    heldBytes += bytes.length;
    if (heldBytes >= most) from.pause();
    if (!timer && !isFull) deliver();
  });
  from.on('end', () => {
    isOver = true;
    if (!timer && !isFull) deliver();
  });
  from.resume();
}
