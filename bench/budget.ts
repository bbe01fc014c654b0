import { z } from 'zod';

/** A delivery by a worker that may hold so much of an archive in memory. */
export const budget = z.object({
  type: z.string(),
  server: z.string(),
  sizeMiB: z.number(),
  rttMs: z.number(),
  /** `transfer.inFlightMib` of a stage. */
  inFlightMiB: z.number(),
  /** Each run of a worker that has delivered before. */
  ms: z.array(z.number()),
  peakRssMiB: z.array(z.number()),
});
export type Budget = z.output<typeof budget>;
