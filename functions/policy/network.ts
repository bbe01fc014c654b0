import * as z from 'zod';
import { parseAllowEntry } from '../core/allow-entry.ts';
import type { PortRange } from '../core/egress.ts';

const ALLOWED = 'an address, a CIDR such as 10.1.0.0/16, a host name or a *.suffix';
const PORTS = 'a port such as "22", or a range such as "1024-65535"';
const HIGHEST_PORT = 65_535;

/** One entry of `network.allow`. */
export const allowed = z
  .string(ALLOWED)
  .refine((text) => parseAllowEntry(text) !== undefined, ALLOWED);

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
