import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { budget } from './budget.ts';
import { countedRun } from './counted-run.ts';
import { functionMemory } from './function-memory.ts';
import { functionStart } from './function-start.ts';
import { type Measurement, measurement } from './measurement.ts';
import { profile } from './profile.ts';
import { tick } from './tick.ts';

/** What one machine has measured, as a file of `bench/results` keeps it. */
export const results = z.object({
  v: z.literal(1),
  /** When something was measured last; ISO 8601, UTC. */
  at: z.string(),
  machine: z.object({
    cpu: z.string(),
    cpus: z.number(),
    memoryMiB: z.number(),
  }),
  versions: z.object({ node: z.string(), rclone: z.string() }),
  measurements: z.array(measurement).default([]),
  requests: z.array(countedRun).default([]),
  budgets: z.array(budget).default([]),
  profiles: z.array(profile).default([]),
  ticks: z.array(tick).default([]),
  starts: z.array(functionStart).default([]),
  functionMemory: z.array(functionMemory).default([]),
});
export type Results = z.output<typeof results>;

/**
 * What was measured with what was measured since, in place of the same where it was measured again.
 * @throws Error where machine or versions are others
 */
export function addResults(to: Results, more: Results): Results {
  const { machine, versions } = more;
  if (!isDeepStrictEqual([to.machine, to.versions], [machine, versions])) {
    throw new Error('These results are of another machine or of other versions.');
  }
  return {
    ...more,
    measurements: renew(to.measurements, more.measurements, nameOf),
    requests: renew(to.requests, more.requests, (one) =>
      [one.type, one.server, one.sizeMiB, one.archives].join(),
    ),
    budgets: renew(to.budgets, more.budgets, (one) =>
      [one.type, one.server, one.rttMs, one.inFlightMiB].join(),
    ),
    profiles: renew(to.profiles, more.profiles, ({ server, type }) => `${type},${server}`),
    ticks: renew(to.ticks, more.ticks, ({ users }) => `${users}`),
    starts: renew(to.starts, more.starts, (one) => one.name),
    functionMemory: renew(to.functionMemory, more.functionMemory, (one) =>
      [one.type, one.server, one.rttMs, one.memoryMb].join(),
    ),
  };
}

function nameOf({ archives, rttMs, server, sizeMiB, type }: Measurement): string {
  return [type, server, sizeMiB, archives, rttMs].join();
}

function renew<T>(old: readonly T[], measured: readonly T[], name: (one: T) => string): T[] {
  const again = new Set(measured.map(name));
  return [...old.filter((one) => !again.has(name(one))), ...measured];
}
