import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';

/** What was measured, as it is kept in `bench/results`: every run of everything. */
const usages = z.array(
  z.object({
    ms: z.number(),
    cpuMs: z.number(),
    peakRssMiB: z.number(),
    machineCpuMs: z.number(),
  }),
);

export const measurement = z.object({
  type: z.string(),
  server: z.string(),
  /** Of each archive. */
  sizeMiB: z.number(),
  archives: z.number().int().positive(),
  rttMs: z.number(),
  /** Where servers keep what they store. */
  storage: z.enum(['memory', 'disk']),
  /** Runnable processes before, averaged over a minute: above the count of CPUs, others worked too. */
  loadBefore: z.number(),
  ferry: z.object({
    warm: usages,
    /** From the start of the process on. */
    cold: usages,
    startMs: z.array(z.number()),
  }),
  rclone: z.object({ defaults: usages, best: usages, bestFlags: z.array(z.string()) }),
  limit: z.object({
    /** Bytes that the simplest client pushed, and how long each time took. */
    pushMiB: z.number(),
    pushMs: z.array(z.number()),
    /** Bytes that were read from the source and thrown away. */
    sourceMiB: z.number(),
    sourceMs: z.array(z.number()),
  }),
});
export type Measurement = z.output<typeof measurement>;

export const results = z.object({
  v: z.literal(1),
  /** ISO 8601, UTC. */
  at: z.string(),
  machine: z.object({
    cpu: z.string(),
    cpus: z.number(),
    memoryMiB: z.number(),
  }),
  versions: z.object({ node: z.string(), rclone: z.string() }),
  measurements: z.array(measurement),
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
  const nameOf = (one: Measurement) =>
    [one.type, one.server, one.sizeMiB, one.archives, one.rttMs].join();
  const again = new Set(more.measurements.map(nameOf));
  const stay = to.measurements.filter((one) => !again.has(nameOf(one)));
  return { ...more, measurements: [...stay, ...more.measurements] };
}
