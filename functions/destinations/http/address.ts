import { isIP } from 'node:net';

/** Where a server is and how to speak to it. */
export interface Address {
  readonly protocol: 'http' | 'https';
  /** As in a URL: an IPv6 address stands in brackets. */
  readonly host: string;
  readonly port: number;
}

/** The address that a URL names, with the port that its protocol implies. */
export function addressOf(url: URL): Address {
  const protocol = url.protocol === 'http:' ? 'http' : 'https';
  const port = url.port === '' ? (protocol === 'https' ? 443 : 80) : Number(url.port);
  return { protocol, host: url.hostname, port };
}

/** The address as a URL, without the port where it is the protocol's own. */
export function originOf({ protocol, host, port }: Address): string {
  return new URL(`${protocol}://${host}:${port}`).origin;
}

/** The host as sockets want it: an IPv6 address without its brackets. */
export function socketHost({ host }: Address): string {
  return host.replace(/^\[(.*)\]$/, '$1');
}

/** The name to ask a certificate for; addresses are not sent as a server name (RFC 6066, 3). */
export function serverName(address: Address): string | undefined {
  const host = socketHost(address);
  return isIP(host) === 0 ? host : undefined;
}
