import { isIP } from 'node:net';
import type { NetAddress } from '../core/egress.ts';

/** What a host is, once it is read as the URL Standard reads it. */
export type Host =
  | { readonly kind: 'address'; readonly addresses: readonly NetAddress[] }
  /** In lower case and ASCII, without a dot at its end. */
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'unreadable' };

/** RFC 6761, 6.3: these names stand for the machine itself, whatever a name server says. */
const THIS_MACHINE: readonly NetAddress[] = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
];
const UNREADABLE = { kind: 'unreadable' } as const;

/**
 * Reads a host in any spelling: addresses also in decimal, octal, hexadecimal and short forms, in
 * full-width digits, percent-encoded, with brackets or a dot at the end. Settings that are no URL come
 * to the same result as those that are (url.spec.whatwg.org, 3.5, host parsing).
 */
export function readHost(text: string): Host {
  const bare = text.replace(/^\[(.*)\]$/, '$1');
  if (isIP(bare) !== 0) return { kind: 'address', addresses: [toNetAddress(bare)] };
  // What ends a host in a URL, and what a URL silently drops.
  if (/[\s\p{Cc}/\\?#@:[\]]/u.test(bare)) return UNREADABLE;
  const host = URL.parse(`http://${bare}/`)?.hostname ?? '';
  if (isIP(host) === 4) return { kind: 'address', addresses: [toNetAddress(host)] };
  const name = host.replace(/\.$/, '');
  if (name === '' || name.split('.').includes('')) return UNREADABLE;
  if (/(^|\.)localhost$/.test(name)) return { kind: 'address', addresses: THIS_MACHINE };
  return { kind: 'name', name };
}

/** @param address an IP address, with or without a zone */
export function toNetAddress(address: string): NetAddress {
  return { address, family: isIP(address) === 6 ? 6 : 4 };
}
