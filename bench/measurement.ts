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
