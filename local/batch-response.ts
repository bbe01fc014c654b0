import { z } from 'zod';

const batchResponse = z
  .object({
    batchItemFailures: z.array(z.object({ itemIdentifier: z.string().min(1) })).nullish(),
  })
  .nullish();

/**
 * Which items a function reports as failed, out of `all`. An empty answer means that all went well;
 * one of the wrong shape, or one that names an item the batch does not have, fails the whole batch.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting
 */
export function failedItems(answer: unknown, all: ReadonlySet<string>): ReadonlySet<string> {
  const parsed = batchResponse.safeParse(answer);
  if (!parsed.success) return all;
  const failed = (parsed.data?.batchItemFailures ?? []).map((item) => item.itemIdentifier);
  return failed.every((id) => all.has(id)) ? new Set(failed) : all;
}
