import { z } from 'zod';
import { DEFAULT_POLICY, MOST_DESTINATIONS } from '../core/policy.ts';
import { allowed, ports } from './network.ts';

/**
 * The policy that the operator writes. Every message is what is expected at its place, worded to go
 * into "This is not …" and "Give …"; the `meta` of each field is its line in docs/settings.md.
 */
const SWITCH = 'true or false';
const TYPES = 'a list of types of destination such as ["s3", "ssh"]';
const ALLOW = 'a list such as ["10.1.0.0/16", "nas.example.org"]';
const PORTS = 'a map of types to ports such as { "ssh": ["22", "1024-65535"] }';

const whole = (least: number, most: number) => {
  const expected = `a whole number from ${least} to ${most}`;
  return z.int(expected).min(least, expected).max(most, expected);
};
const bytes = whole(1, Number.MAX_SAFE_INTEGER);

const network = z.strictObject(
  {
    allow: z
      .array(allowed, ALLOW)
      .default([...DEFAULT_POLICY.network.allow])
      .meta({
        description:
          'Addresses, CIDRs, host names and `*.suffix` that destinations may be at although they are not public, such as `10.1.0.0/16`',
        default: 'public addresses only',
      }),
    ports: z.record(z.string(), z.array(ports, PORTS).min(1, PORTS), PORTS).default({}).meta({
      description:
        'Ports that destinations of a type may have, by type: `{ "ssh": ["22", "1024-65535"] }`',
      default: "Ferry's own for each type",
    }),
  },
  'a map with allow and ports',
);

export const policySchema = z.strictObject(
  {
    v: z.literal(1, 'the number 1').meta({ description: '`1`', default: 'required' }),
    types: z.array(z.string(TYPES), TYPES).min(1, TYPES).optional().meta({
      description: 'Types of destination that users may have',
      default: 'all',
    }),
    shortestIntervalMinutes: whole(1, 366 * 24 * 60)
      .default(DEFAULT_POLICY.shortestIntervalMinutes)
      .meta({
        description: 'Between two planned runs of one user, at least',
        unit: 'minutes',
        default: `${DEFAULT_POLICY.shortestIntervalMinutes}`,
      }),
    mostDestinations: whole(1, MOST_DESTINATIONS)
      .default(DEFAULT_POLICY.mostDestinations)
      .meta({
        description: 'Of one user, switched on or off',
        default: `${DEFAULT_POLICY.mostDestinations}`,
      }),
    mostBytesPerRun: bytes.optional().meta({
      description:
        'That one run may bring to one destination. A run with more is refused before its first byte',
      unit: 'bytes',
      default: 'no limit',
    }),
    mostBytesPerMonth: bytes.optional().meta({
      description:
        'That one user may have delivered in a calendar month (UTC), to all destinations together. The run ends at the first archive for which there is no room',
      unit: 'bytes',
      default: 'no limit',
    }),
    mostJobsAtOnce: whole(1, MOST_DESTINATIONS)
      .optional()
      .default(DEFAULT_POLICY.mostJobsAtOnce ?? MOST_DESTINATIONS)
      .meta({
        description: 'Destinations of one user that are delivered to at once; the others wait',
        default: `${DEFAULT_POLICY.mostJobsAtOnce}`,
      }),
    network: network.prefault({}).meta({ description: 'Where destinations may be' }),
    plainHttp: z
      .boolean(SWITCH)
      .default(DEFAULT_POLICY.plainHttp)
      .meta({
        description: 'Whether destinations may be reached over `http`, unencrypted',
        default: `${DEFAULT_POLICY.plainHttp}`,
      }),
    insecureTls: z
      .boolean(SWITCH)
      .default(DEFAULT_POLICY.insecureTls)
      .meta({
        description: 'Whether users may have any certificate accepted (`…_INSECURE`)',
        default: `${DEFAULT_POLICY.insecureTls}`,
      }),
    trustFirstHostKey: z
      .boolean(SWITCH)
      .default(DEFAULT_POLICY.trustFirstHostKey)
      .meta({
        description:
          'Whether the host key that a server shows first is taken where the row names none',
        default: `${DEFAULT_POLICY.trustFirstHostKey}`,
      }),
    windowMinutes: whole(0, 720).optional().meta({
      description:
        'Over which users of the same planned time are spread; each starts the same number of minutes later, every time',
      unit: 'minutes',
      default: '`spreadMinutes` of the stage',
    }),
  },
  'a map with v and rules',
);

/** The names that there are at each place. */
export const POLICY_NAMES: ReadonlyMap<string, readonly string[]> = new Map([
  ['', Object.keys(policySchema.shape)],
  ['network', Object.keys(network.shape)],
]);

export const networkSchema = network;
