import { z } from 'zod';

/** Requests of one kind. */
export const requestCount = z.object({
  /** As people know it. */
  service: z.string(),
  /** As AWS calls it. */
  operation: z.string(),
  requests: z.number().int().positive(),
  /**
   * What DynamoDB bills for them: write units of 1 KB, or read units of 4 KB, of the table itself. What
   * goes into its index comes on top.
   */
  units: z.number().nonnegative(),
});
export type RequestCount = z.output<typeof requestCount>;

/** What DynamoDB bills by units of writing; all else that is asked of it is reading. */
const WRITES = ['PutItem', 'UpdateItem', 'DeleteItem'];

/** How many there were of a service, of one operation of it where that is given. */
export function requestsOf(
  counts: readonly RequestCount[],
  service: string,
  operation?: string,
): number {
  return counts
    .filter((one) => one.service === service && (operation ?? one.operation) === one.operation)
    .reduce((sum, { requests }) => sum + requests, 0);
}

/** Units of DynamoDB's tables that were used for writing, and for reading. */
export function unitsOf(counts: readonly RequestCount[]): { writes: number; reads: number } {
  const used = { writes: 0, reads: 0 };
  for (const { operation, service, units } of counts) {
    if (service === 'DynamoDB') used[WRITES.includes(operation) ? 'writes' : 'reads'] += units;
  }
  return used;
}
