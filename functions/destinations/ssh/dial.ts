import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import {
  addressForbidden,
  type Egress,
  type NetAddress,
  type Purpose,
  type Target,
} from '../../core/egress.ts';
import { unlessAborted } from '../../core/stopping.ts';
import { leadingTo } from '../checked-socket.ts';
import { noConnection } from './errors.ts';
import type { Passed } from './handshake.ts';
import type { SshSettings } from './settings.ts';

const DIAL_MS = 20_000;
const PURPOSE: Purpose = {
  type: 'ssh',
  settings: { host: 'SSH_HOST_NAME', port: 'SSH_PORT' },
};

/**
 * Opens a TCP connection to the server: every address that its name stands for is tried, and no
 * others, once the guard has nothing against any. Small packets leave at once: with Nagle's algorithm
 * SFTP moves less than 2 MiB/s.
 * @param only of the name's addresses this one alone
 */
export async function dial(
  settings: SshSettings,
  egress: Egress,
  signal: AbortSignal,
  passed: Passed,
  only?: string,
): Promise<Socket> {
  const target = { ...PURPOSE, host: settings.host, port: settings.port };
  const late = AbortSignal.timeout(DIAL_MS);
  const stop = AbortSignal.any([signal, late]);
  try {
    const addresses = await unlessAborted(egress.lookUp(target), stop);
    passed('name lookup', addresses.map(({ address }) => address).join(', ') || undefined);
    const refusal = egress.refuse(target, addresses);
    if (refusal) throw addressForbidden(refusal);
    passed('address');
    const chosen = only ? addresses.filter(({ address }) => address === only) : addresses;
    if (chosen.length === 0) throw noConnection(settings, undefined);
    const socket = await open(chosen, target, stop);
    passed('TCP connection');
    return socket;
  } catch (error) {
    throw late.aborted ? noConnection(settings, error) : error;
  }
}

async function open(
  addresses: readonly NetAddress[],
  target: Target,
  signal: AbortSignal,
): Promise<Socket> {
  const socket = createConnection({ ...leadingTo(target, addresses), noDelay: true });
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
