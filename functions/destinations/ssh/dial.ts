import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { unlessAborted } from '../../core/stopping.ts';
import { noConnection } from './errors.ts';
import type { Passed } from './handshake.ts';
import type { SshSettings } from './settings.ts';

const DIAL_MS = 20_000;

/**
 * Opens a TCP connection to the server: every address that its name stands for is tried, and no
 * others. Small packets leave at once: with Nagle's algorithm SFTP moves less than 2 MiB/s.
 */
export async function dial(
  settings: SshSettings,
  signal: AbortSignal,
  passed: Passed,
): Promise<Socket> {
  const late = AbortSignal.timeout(DIAL_MS);
  const stop = AbortSignal.any([signal, late]);
  try {
    const addresses = await unlessAborted(lookup(settings.host, { all: true }), stop);
    passed('name lookup', addresses.map(({ address }) => address).join(', '));
    const socket = await open(addresses, settings, stop);
    passed('TCP connection');
    return socket;
  } catch (error) {
    throw late.aborted ? noConnection(settings, error) : error;
  }
}

async function open(
  addresses: LookupAddress[],
  { host, port }: SshSettings,
  signal: AbortSignal,
): Promise<Socket> {
  const socket = createConnection({
    host,
    port,
    noDelay: true,
    lookup: (_host, _options, answer) => answer(null, addresses),
  });
  // Whoever awaits the connection is told by `once`, whoever uses it by its own listener.
  socket.on('error', () => {});
  try {
    await once(socket, 'connect', { signal });
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}
