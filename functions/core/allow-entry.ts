import { isIP } from 'node:net';

/** One line of an operator's list of what is allowed although it is not public. */
export type AllowEntry =
  | { readonly kind: 'range'; readonly address: string; readonly bits: number }
  | { readonly kind: 'host'; readonly name: string }
  /** Every name below this one, and not itself; begins with a dot. */
  | { readonly kind: 'suffix'; readonly suffix: string };

const BITS = { 4: 32, 6: 128 } as const;
const LABEL = '[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?';
const NAME = new RegExp(`^(\\*\\.)?(${LABEL}(?:\\.${LABEL})*)\\.?$`);

/**
 * Reads `10.0.0.0/8`, `192.0.2.7`, `fd00::/8`, `nas.example.org` or `*.example.org`; undefined for
 * anything else. Names outside ASCII are given as DNS has them (`xn--…`).
 */
export function parseAllowEntry(text: string): AllowEntry | undefined {
  const [address = '', length, ...rest] = text.split('/');
  const family = isIP(address);
  if (family === 4 || family === 6) {
    if (rest.length > 0 || address.includes('%')) return undefined;
    if (length === undefined) return { kind: 'range', address, bits: BITS[family] };
    const bits = /^\d{1,3}$/.test(length) ? Number(length) : Number.NaN;
    return bits <= BITS[family] ? { kind: 'range', address, bits } : undefined;
  }
  const [, star, name = ''] = NAME.exec(text.toLowerCase()) ?? [];
  // What ends in a number is an address in another notation to whoever reads it (URL Standard, 3.5).
  if (name === '' || name.length > 253 || /(^|\.)(\d+|0x[0-9a-f]*)$/.test(name)) return undefined;
  return star === undefined ? { kind: 'host', name } : { kind: 'suffix', suffix: `.${name}` };
}
