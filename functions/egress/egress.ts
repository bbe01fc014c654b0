import { lookup } from 'node:dns/promises';
import {
  DEFAULT_PORTS,
  type Egress,
  type EgressRules,
  type PortRange,
  type Refusal,
  type Target,
} from '../core/egress.ts';
import { readAllowList } from './allow-list.ts';
import { type Host, readHost, toNetAddress } from './host.ts';
import { isPrivateName } from './private-names.ts';
import { specialBlockOf } from './special-addresses.ts';

/** Asks for the addresses of a name; the answer may be another one each time. */
export type Resolve = (name: string) => Promise<readonly string[]>;

/**
 * Opens the guard that every connection on behalf of a user passes. A host is refused whole where any
 * of its addresses is: who mixes addresses of the internet with others has a mistake in the zone or
 * something in mind, and in both cases the next answer may have the others alone.
 * @throws Error where the list of what is allowed cannot be read
 */
export function openEgress(rules: EgressRules, resolve: Resolve = askSystem): Egress {
  const allowed = readAllowList(rules.allow);
  const isNamed = (host: Host) => host.kind === 'name' && allowed.hasName(host.name);

  /** What is wrong with a target before anybody is asked for its addresses. */
  const refuseUnasked = (target: Target, host: Host): Refusal | undefined => {
    const { type, port, settings } = target;
    if (host.kind === 'unreadable') {
      return forbidden(
        settings.host,
        `The text in ${settings.host} is not the name or address of a server.`,
      );
    }
    const ports = rules.ports[type] ?? DEFAULT_PORTS[type] ?? [];
    if (!ports.some(({ from, to }) => port >= from && port <= to)) return wrongPort(target, ports);
    if (host.kind === 'name' && isPrivateName(host.name) && !isNamed(host)) {
      return forbidden(
        settings.host,
        `The name of the server (${settings.host}), ${host.name}, is known inside private networks only.`,
      );
    }
    return undefined;
  };

  return {
    async lookUp(target) {
      const host = readHost(target.host);
      if (host.kind === 'unreadable' || refuseUnasked(target, host)) return [];
      if (host.kind === 'address') return host.addresses;
      const found = await resolve(host.name);
      if (found.length > 0) return found.map(toNetAddress);
      throw Object.assign(new Error(`${host.name} has no address`), { code: 'ENOTFOUND' });
    },

    refuse(target, addresses) {
      const host = readHost(target.host);
      const unasked = refuseUnasked(target, host);
      if (unasked) return unasked;
      for (const { address } of addresses) {
        const special = specialBlockOf(address);
        if (!special || allowed.hasAddress(address)) continue;
        if (special.isSite && isNamed(host)) continue;
        return forbidden(
          target.settings.host,
          `The server (${target.settings.host}) is at ${address}, ${special.what}, and Ferry connects to servers on the internet.`,
        );
      }
      return undefined;
    },
  };
}

async function askSystem(name: string): Promise<readonly string[]> {
  return (await lookup(name, { all: true })).map(({ address }) => address);
}

function wrongPort({ type, port, settings }: Target, ports: readonly PortRange[]): Refusal {
  const allowed = ports.map(({ from, to }) => (from === to ? `${from}` : `${from} to ${to}`));
  return {
    setting: settings.port,
    problem: `The port of the server (${settings.port}) is ${port}, and the operator of Ferry allows ${allowed.join(', ') || 'none'} for destinations of type ${type}.`,
    remedy: 'Choose one of these, or ask the operator to allow it (network.ports).',
  };
}

function forbidden(setting: string, problem: string): Refusal {
  return {
    setting,
    problem,
    remedy:
      'Give the address of a server on the internet, or ask the operator of Ferry to allow this one (network.allow).',
  };
}
