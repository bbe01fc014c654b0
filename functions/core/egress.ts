import { FerryError } from './errors.ts';

/** An IP address as sockets take it, without brackets. */
export interface NetAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

/** Why a connection is wanted: which rules count, and what messages name. */
export interface Purpose {
  /** Of the destination. */
  readonly type: string;
  /** The settings that say which host and which port. */
  readonly settings: { readonly host: string; readonly port: string };
}

/** Where a driver wants to connect to. */
export interface Target extends Purpose {
  /** As in a setting or a URL; an IPv6 address with or without brackets. */
  readonly host: string;
  readonly port: number;
}

/**
 * Where connections on behalf of users may go. What is connected to is exactly what `lookUp` gave and
 * `refuse` had nothing against; no name is looked up a second time in between.
 */
export interface Egress {
  /**
   * The addresses that a host stands for, now. There are none where it is refused by its name or port
   * alone; `refuse` says so then, and nobody has been asked.
   * @throws the system's error where the name is not known
   */
  lookUp(target: Target): Promise<readonly NetAddress[]>;
  /** Why none of these may be connected to; undefined when all of them may. */
  refuse(target: Target, addresses: readonly NetAddress[]): Refusal | undefined;
}

/** Why a server may not be connected to. */
export interface Refusal {
  /** The setting that leads there. */
  readonly setting: string;
  readonly problem: string;
  readonly remedy: string;
}

export function addressForbidden({ problem, remedy }: Refusal): FerryError {
  return new FerryError('address-forbidden', `${problem} ${remedy}`, { retry: 'never' });
}

/** Both inclusive. */
export interface PortRange {
  readonly from: number;
  readonly to: number;
}

/** What an operator allows. */
export interface EgressRules {
  /** Ranges, addresses, host names and `*.suffix` that are allowed although they are not public. */
  readonly allow: readonly string[];
  /** By type of destination; `DEFAULT_PORTS` where a type is not named. */
  readonly ports: Readonly<Record<string, readonly PortRange[]>>;
}

const ABOVE: PortRange = { from: 1024, to: 65_535 };
const WEB: readonly PortRange[] = [{ from: 80, to: 80 }, { from: 443, to: 443 }, ABOVE];

/** Those of the protocol, and what every user may open a server at; 23 is SSH at Hetzner's Storage Boxes. */
export const DEFAULT_PORTS: Readonly<Record<string, readonly PortRange[]>> = {
  azure: WEB,
  dropbox: WEB,
  s3: WEB,
  ssh: [{ from: 22, to: 23 }, ABOVE],
  webdav: WEB,
};

/** All of them, for a person's own machine. */
export const ANYWHERE: EgressRules = {
  allow: ['0.0.0.0/0', '::/0'],
  ports: Object.fromEntries(
    Object.keys(DEFAULT_PORTS).map((type) => [type, [{ from: 1, to: 65_535 }]]),
  ),
};
