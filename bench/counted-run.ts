import { z } from 'zod';
import { requestCount } from './request-count.ts';

/** What one job of a worker that has delivered before asked of the services that Ferry runs on. */
export const countedRun = z.object({
  type: z.string(),
  server: z.string(),
  /** Of each archive. */
  sizeMiB: z.number(),
  archives: z.number().int().positive(),
  requests: z.array(requestCount),
});
export type CountedRun = z.output<typeof countedRun>;
