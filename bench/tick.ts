import { z } from 'zod';
import { requestCount } from './request-count.ts';

/** What ticks did for so many users who were due, with one destination each. */
export const tick = z.object({
  users: z.number().int().positive(),
  /** Of the function as it is deployed, in MB: that says how much of a processor it has there. */
  memoryMb: z.number(),
  /** Of the invocation that found them. */
  ms: z.number(),
  /** CPU time of its process, user and system. */
  cpuMs: z.number(),
  /** Highest resident memory. */
  peakRssMiB: z.number(),
  /** How many users it put on the queue and moved on; what is left is done by the next tick. */
  handled: z.number().int(),
  /** What another tick, for as many users, asked of the services. */
  requests: z.array(requestCount),
});
export type Tick = z.output<typeof tick>;
