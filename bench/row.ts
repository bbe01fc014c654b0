import { z } from 'zod';
import type { Measurement } from './measurement.ts';
import { type Spread, spreadOf } from './spread.ts';

/** What one measurement comes to, for programs. */
export const row = z.strictObject({
  type: z.string(),
  sizeMiB: z.number().positive(),
  /** Added to the way to the destination. */
  rttMs: z.number().nonnegative(),
  /** Of a warm worker, by the median of its times. */
  ferryMiBs: z.number().positive(),
  /** By the median of its defaults or of its best flags, whichever is the better. */
  rcloneMiBs: z.number().positive(),
  /** Ferry's rate over rclone's. */
  ratio: z.number().positive(),
  /** Ferry's rate over the lower of two: what the simplest client pushes, and what the source gives. */
  limitShare: z.number().positive(),
  /** CPU time of Ferry's process, user and system, a GiB delivered. */
  cpuSecPerGiB: z.number().nonnegative(),
  /** Highest resident memory of Ferry's process, by the median of runs. */
  peakRssMiB: z.number().positive(),
});
export type Row = z.output<typeof row>;

/** @throws ZodError where a number is none */
export function toRow(one: Measurement): Row {
  const ferryMiBs = ratesOf(one, one.ferry.warm).median;
  const rcloneMiBs = ratesOf(one, one.rclone[betterOf(one)]).median;
  const median = (values: readonly number[]) => spreadOf(values).median;
  const cpuMs = median(one.ferry.warm.map((run) => run.cpuMs));
  return row.parse({
    type: one.type,
    sizeMiB: one.sizeMiB,
    rttMs: one.rttMs,
    ferryMiBs: rounded(ferryMiBs),
    rcloneMiBs: rounded(rcloneMiBs),
    ratio: rounded(ferryMiBs / rcloneMiBs),
    limitShare: rounded(ferryMiBs / limitOf(one)),
    cpuSecPerGiB: rounded((cpuMs / 1000 / one.sizeMiB) * 1024),
    peakRssMiB: Math.round(median(one.ferry.warm.map((run) => run.peakRssMiB))),
  });
}

/** MiB/s of several runs. */
export function ratesOf(
  { sizeMiB }: Pick<Measurement, 'sizeMiB'>,
  runs: readonly { readonly ms: number }[],
): Spread {
  return spreadOf(runs.map(({ ms }) => (sizeMiB / ms) * 1000));
}

/** How rclone was faster. */
export function betterOf(one: Measurement): 'defaults' | 'best' {
  const rate = (kind: 'defaults' | 'best') => ratesOf(one, one.rclone[kind]).median;
  return rate('best') > rate('defaults') ? 'best' : 'defaults';
}

/** MiB/s that nothing could surpass which reads the source and then sends it by one connection. */
export function limitOf({ limit }: Measurement): number {
  const push = limit.pushMiB / spreadOf(limit.pushMs).median;
  const source = limit.sourceMiB / spreadOf(limit.sourceMs).median;
  return Math.min(push, source) * 1000;
}

/** Three digits that say something. */
function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
