import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { addressForbidden, type Egress, type NetAddress, type Purpose } from '../../core/egress.ts';
import { FerryError } from '../../core/errors.ts';
import type { Step } from '../check-steps.ts';
import { leadingTo } from '../checked-socket.ts';
import { type Address, serverName, socketHost } from './address.ts';
import { type Trust, tlsOptions } from './trust.ts';

const CONNECT_MS = 5000;

/**
 * Name lookup, whether the addresses are allowed, TCP and, for https, TLS: what comes before the first
 * request.
 */
export function reachingSteps(
  address: Address,
  trust: Trust,
  egress: Egress,
  purpose: Purpose,
  signal: AbortSignal,
): Step[] {
  const target = { ...purpose, host: socketHost(address), port: address.port };
  let addresses: readonly NetAddress[] = [];
  const established = async (socket: Socket, event: string) => {
    try {
      const inTime = AbortSignal.any([signal, AbortSignal.timeout(CONNECT_MS)]);
      await once(socket, event, { signal: inTime });
    } catch (thrown) {
      const timedOut = thrown instanceof Error && thrown.name === 'AbortError' && !signal.aborted;
      throw timedOut ? noAnswer(purpose.settings.host) : thrown;
    } finally {
      socket.destroy();
    }
  };

  const steps: Step[] = [
    [
      'name lookup',
      async () => {
        addresses = await egress.lookUp(target);
        return addresses.map((found) => found.address).join(', ') || undefined;
      },
    ],
    [
      'address',
      async () => {
        const refusal = egress.refuse(target, addresses);
        if (refusal) throw addressForbidden(refusal);
        return undefined;
      },
    ],
    [
      'TCP',
      async () => void (await established(connectTcp(leadingTo(target, addresses)), 'connect')),
    ],
  ];
  if (address.protocol === 'https') {
    steps.push([
      'TLS',
      async () => {
        const servername = serverName(address);
        const socket = connectTls({
          ...leadingTo(target, addresses),
          ...(servername === undefined ? {} : { servername }),
          ...tlsOptions(trust),
        });
        let version: string | undefined;
        socket.on('secureConnect', () => {
          version = socket.getProtocol() ?? undefined;
        });
        await established(socket, 'secureConnect');
        return version;
      },
    ]);
  }
  return steps;
}

function noAnswer(setting: string): FerryError {
  return new FerryError(
    'unreachable',
    `The server did not answer within ${CONNECT_MS / 1000} seconds. Check ${setting} and its firewall.`,
    { retry: 'later' },
  );
}
