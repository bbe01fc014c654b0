import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startWire } from '../../bench/wire.ts';
import { sampleBytes } from './sample.ts';

const MIB = 1024 ** 2;
const RTT = 200;
/** Says hello, echoes what it gets, and ends when its client has. */
const server = createServer({ allowHalfOpen: true }, (socket) => {
  socket.on('error', () => undefined);
  socket.write('hello');
  socket.pipe(socket);
});
let to: { host: string; port: number };

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  to = { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
});
afterAll(() => {
  server.close();
});

function connectTo(port: number): Socket {
  return createConnection({ host: '127.0.0.1', port, noDelay: true });
}

async function echoOf(bytes: Buffer, socket: Socket): Promise<string> {
  const hash = createHash('sha256');
  let skip = 'hello'.length;
  socket.on('data', (chunk: Buffer) => {
    hash.update(chunk.subarray(Math.min(skip, chunk.length)));
    skip = Math.max(0, skip - chunk.length);
  });
  socket.end(bytes);
  await once(socket, 'end');
  return hash.digest('hex');
}

it.each([0, 20])('brings every byte in order, and the end, over %d ms', async (rttMs) => {
  const { port } = await startWire({ to, rttMs });
  const bytes = sampleBytes(24 * MIB + 3, 'wire');
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  expect(await echoOf(bytes, connectTo(port))).toBe(sha256);
});

it('makes a connection in one round trip, and an answer take another', async () => {
  const { port } = await startWire({ to, rttMs: RTT });
  const startedAt = performance.now();
  const socket = connectTo(port);
  await once(socket, 'data');
  const hello = performance.now();
  expect(hello - startedAt).toBeGreaterThanOrEqual(RTT - 2);
  socket.write('x');
  await once(socket, 'data');
  expect(performance.now() - hello).toBeGreaterThanOrEqual(RTT - 2);
  socket.destroy();
});

it('has many bytes on their way before the first arrives', async () => {
  const { port } = await startWire({ to, rttMs: 2_000 });
  const socket = connectTo(port);
  const taken: number[] = [];
  for (let n = 0; n < 64; n++) socket.write(Buffer.alloc(MIB), () => taken.push(n));
  await once(socket, 'data');
  expect(taken.length).toBeGreaterThan(8);
  socket.destroy();
});

it('is a proxy that leads to the server whatever is asked for', async () => {
  const { proxyPort } = await startWire({ to, rttMs: 0 });
  const socket = connectTo(proxyPort);
  socket.write('CONNECT api.dropboxapi.com:443 HTTP/1.1\r\nHost: api.dropboxapi.com:443\r\n\r\n');
  let told = '';
  while (!told.endsWith('hello')) told += (await once(socket, 'data'))[0];
  expect(told).toBe('HTTP/1.1 200 Connected\r\n\r\nhello');
  socket.destroy();
});
