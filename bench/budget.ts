import { z } from 'zod';
import { warmDeliveries } from './warm-deliveries.ts';

/** Deliveries by a worker that may hold so much of an archive in memory. */
export const budget = warmDeliveries.extend({
  /** `transfer.inFlightMib` of a stage. */
  inFlightMiB: z.number(),
});
export type Budget = z.output<typeof budget>;
