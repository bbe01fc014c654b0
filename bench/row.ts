import { z } from 'zod';
import type { Measurement } from './measurement.ts';
import { type Spread, spreadOf } from './spread.ts';

/** What one measurement comes to, for programs. */
export const row = z.strictObject({
  type: z.string(),
  /** Of each archive. */
  sizeMiB: z.number().positive(),
  /** Where there were several in one run. */
  archives: z.number().int().optional(),
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
  return row.parse({
    type: one.type,
    sizeMiB: one.sizeMiB,
    ...(one.archives > 1 ? { archives: one.archives } : {}),
    rttMs: one.rttMs,
    ferryMiBs: rounded(ferryMiBs),
    rcloneMiBs: rounded(rcloneMiBs),
    ratio: rounded(ferryMiBs / rcloneMiBs),
    limitShare: rounded(ferryMiBs / limitOf(one)),
    cpuSecPerGiB: rounded(cpuSecPerGiB(one, one.ferry.warm)),
    peakRssMiB: Math.round(median(one.ferry.warm.map((run) => run.peakRssMiB))),
  });
}

/** What one run delivers. */
export function totalMiB({ archives, sizeMiB }: Pick<Measurement, 'archives' | 'sizeMiB'>): number {
  return archives * sizeMiB;
}

/** MiB/s of several runs. */
export function ratesOf(
  one: Pick<Measurement, 'archives' | 'sizeMiB'>,
  runs: readonly { readonly ms: number }[],
): Spread {
  return spreadOf(runs.map(({ ms }) => (totalMiB(one) / ms) * 1000));
}

/** CPU seconds of a tool's process for each GiB, by the median of runs. */
export function cpuSecPerGiB(
  one: Pick<Measurement, 'archives' | 'sizeMiB'>,
  runs: readonly { readonly cpuMs: number }[],
): number {
  return spreadOf(runs.map(({ cpuMs }) => (cpuMs / 1000 / totalMiB(one)) * 1024)).median;
}

/** What was measured, in words. */
export function sizeText({ archives, sizeMiB }: Pick<Measurement, 'archives' | 'sizeMiB'>): string {
  const size = sizeMiB >= 1024 ? `${sizeMiB / 1024} GiB` : `${sizeMiB} MiB`;
  return archives > 1 ? `${archives} × ${size}` : size;
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
