import { once } from 'node:events';
import { createConnection, createServer, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { drained } from './drained.ts';

/** What goes wrong on the wire. Offsets count the bytes that one connection sends to the server. */
export interface Faults {
  /** The connection is reset after so many bytes to the server. */
  readonly cutAfter?: number;
  /** The lowest bit of the byte at this offset is flipped on its way to the server. */
  readonly flipAt?: number;
  /** Every byte arrives so many ms later, in both directions. */
  readonly delayMs?: number;
  /** To the server. */
  readonly bytesPerSecond?: number;
  /** Connections stand, and nothing comes through in either direction any more. */
  readonly blackHole?: boolean;
  /** New connections are reset at once. */
  readonly refuse?: boolean;
}

export interface FaultProxy {
  readonly host: string;
  readonly port: number;
  /** Connections accepted so far. */
  readonly accepted: number;
  /** Connections that stand now. */
  readonly living: number;
  /** Bytes that clients have sent to the server so far, those of connections that broke too. */
  readonly sentBytes: number;
  /** Replaces all faults, for living connections too. */
  set(faults: Faults): void;
  /** Resets every living connection. */
  cut(): void;
  stop(): Promise<void>;
}

/** Bytes of one direction that wait for their time before the sender is paused. */
const MOST_WAITING = 8 * 1024 * 1024;

/** A TCP proxy on loopback whose wire can be made bad while it runs. */
export async function startFaultProxy(options: {
  readonly to: { readonly host: string; readonly port: number };
  readonly faults?: Faults;
}): Promise<FaultProxy> {
  let faults = options.faults ?? {};
  let accepted = 0;
  let sentBytes = 0;
  const sockets = new Set<Socket>();
  const clients = new Set<Socket>();
  const track = (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
    return socket;
  };

  const listener = createServer({ noDelay: true }, (client) => {
    accepted += 1;
    track(client);
    clients.add(client);
    client.on('close', () => clients.delete(client));
    if (faults.refuse) {
      client.resetAndDestroy();
      return;
    }
    const server = track(createConnection({ ...options.to, noDelay: true }));
    const reset = () => {
      for (const socket of [client, server]) if (!socket.destroyed) socket.resetAndDestroy();
    };
    client.on('close', () => server.destroy());
    server.on('close', () => client.destroy());
    let sent = 0;
    /** When the line has carried what came before; a timer that rings late does not make it slower. */
    let freeAt = 0;
    relay(client, server, async (bytes, arrivedAt) => {
      const { cutAfter, flipAt, bytesPerSecond } = faults;
      const start = sent;
      sent += bytes.length;
      sentBytes += bytes.length;
      if (bytesPerSecond) {
        freeAt = Math.max(freeAt, arrivedAt) + (bytes.length / bytesPerSecond) * 1000;
        const busyMs = freeAt - performance.now();
        if (busyMs > 0) await wait(busyMs);
      }
      if (cutAfter !== undefined && sent > cutAfter) {
        server.write(bytes.subarray(0, Math.max(0, cutAfter - start)), reset);
        return undefined;
      }
      if (flipAt !== undefined && flipAt >= start && flipAt < sent) {
        bytes.writeUInt8(bytes.readUInt8(flipAt - start) ^ 1, flipAt - start);
      }
      return bytes;
    });
    relay(server, client, async (bytes) => bytes);
  });

  /** Passes on what `shape` leaves of each piece, in order, each piece when its delay is over. */
  function relay(
    from: Socket,
    to: Socket,
    shape: (bytes: Buffer, arrivedAt: number) => Promise<Buffer | undefined>,
  ) {
    let last: Promise<unknown> = Promise.resolve();
    let waiting = 0;
    from.on('data', (bytes: Buffer) => {
      const arrivedAt = performance.now();
      const due = arrivedAt + (faults.delayMs ?? 0);
      waiting += bytes.length;
      if (waiting > MOST_WAITING) from.pause();
      last = last.then(async () => {
        if (due > performance.now()) await wait(due - performance.now());
        const shaped = faults.blackHole ? undefined : await shape(bytes, arrivedAt);
        if (shaped && !to.destroyed && !to.write(shaped)) await drained(to);
        waiting -= bytes.length;
        if (waiting <= MOST_WAITING) from.resume();
      });
    });
    from.on('end', () => last.then(() => to.end()));
  }

  const host = '127.0.0.1';
  listener.listen(0, host);
  await once(listener, 'listening');
  const address = listener.address();
  if (address === null || typeof address === 'string') throw new Error('No port to listen on');
  return {
    host,
    port: address.port,
    get accepted() {
      return accepted;
    },
    get living() {
      return clients.size;
    },
    get sentBytes() {
      return sentBytes;
    },
    set(next) {
      faults = next;
    },
    cut() {
      for (const socket of sockets) socket.resetAndDestroy();
    },
    async stop() {
      const closed = once(listener, 'close');
      listener.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
