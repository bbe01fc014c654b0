import { z } from 'zod';
import { spreadOf } from './spread.ts';

/** The same archive again and again, each time by a worker that has delivered it once before. */
export const warmDeliveries = z.object({
  type: z.string(),
  server: z.string(),
  sizeMiB: z.number(),
  rttMs: z.number(),
  /** Each of them. */
  ms: z.array(z.number()),
  peakRssMiB: z.array(z.number()),
});
export type WarmDeliveries = z.output<typeof warmDeliveries>;

/** MiB/s, the middle of all of them. */
export function rateOf({ ms, sizeMiB }: Pick<WarmDeliveries, 'ms' | 'sizeMiB'>): number {
  return sizeMiB / (spreadOf(ms).median / 1000);
}
