import { isIP } from 'node:net';
import { z } from 'zod';
import type { PortRange } from '../core/policy.ts';

const ALLOWED = 'an address, a CIDR such as 10.1.0.0/16, a host name or a *.suffix';
const PORTS = 'a port such as "22", or a range such as "1024-65535"';
const HIGHEST_PORT = 65_535;

/** One entry of `network.allow`. */
export const allowed = z.string(ALLOWED).refine(isAllowable, ALLOWED);

/** One entry of `network.ports`. */
export const ports = z
  .union([z.string(), z.number()], PORTS)
  .transform((given, context): PortRange => {
    const [, first = '', last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(String(given)) ?? [];
    const range = { from: Number(first), to: Number(last) };
    if (range.from >= 1 && range.from <= range.to && range.to <= HIGHEST_PORT) return range;
    context.addIssue({ code: 'custom', message: PORTS, input: given });
    return z.NEVER;
  });

function isAllowable(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const family = isIP(address);
  if (family !== 0) {
    const most = family === 4 ? 32 : 128;
    const isPrefix = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most);
    return isPrefix && rest.length === 0;
  }
  const isNumberAtTheEnd = /(^|\.)\d+$/.test(text);
  return (
    /^(\*\.)?([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*\.?$/i.test(
      text,
    ) && !isNumberAtTheEnd
  );
}
