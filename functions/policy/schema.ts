import * as z from 'zod';
import { DEFAULT_POLICY, MOST_DESTINATIONS } from '../core/policy.ts';
import { allowed, ports } from './network.ts';

/**
 * The policy that the operator writes. Every message is what is expected at its place, worded to go
 * into "This is not …" and "Give …".
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
    allow: z.array(allowed, ALLOW).default([...DEFAULT_POLICY.network.allow]),
    ports: z.record(z.string(), z.array(ports, PORTS).min(1, PORTS), PORTS).default({}),
  },
  'a map with allow and ports',
);

export const policySchema = z.strictObject(
  {
    v: z.literal(1, 'the number 1'),
    types: z.array(z.string(TYPES), TYPES).min(1, TYPES).optional(),
    shortestIntervalMinutes: whole(1, 366 * 24 * 60).default(
      DEFAULT_POLICY.shortestIntervalMinutes,
    ),
    mostDestinations: whole(1, MOST_DESTINATIONS).default(DEFAULT_POLICY.mostDestinations),
    mostBytesPerRun: bytes.optional(),
    mostBytesPerMonth: bytes.optional(),
    mostJobsAtOnce: whole(1, MOST_DESTINATIONS)
      .optional()
      .default(DEFAULT_POLICY.mostJobsAtOnce ?? MOST_DESTINATIONS),
    network: network.prefault({}),
    plainHttp: z.boolean(SWITCH).default(DEFAULT_POLICY.plainHttp),
    insecureTls: z.boolean(SWITCH).default(DEFAULT_POLICY.insecureTls),
    trustFirstHostKey: z.boolean(SWITCH).default(DEFAULT_POLICY.trustFirstHostKey),
    windowMinutes: whole(0, 720).optional(),
  },
  'a map with v and rules',
);

/** The names that there are at each place. */
export const POLICY_NAMES: ReadonlyMap<string, readonly string[]> = new Map([
  ['', Object.keys(policySchema.shape)],
  ['network', Object.keys(network.shape)],
]);

/** Every field, by its path. */
export const POLICY_FIELDS: readonly string[] = [
  ...Object.keys(policySchema.shape).filter((name) => name !== 'network'),
  ...Object.keys(network.shape).map((name) => `network.${name}`),
];
