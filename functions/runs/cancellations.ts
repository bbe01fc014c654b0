import { type DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import type { JobName } from '../core/job.ts';
import { expiryAfter, isExpired } from './expiry.ts';
import { cancelKey } from './keys.ts';

/** Longer than a message of the job can be on its way, with its time as a dead letter. */
const KEPT_DAYS = 30;

const item = z.object({ expiresAt: z.number() });

/**
 * Marks that a person does not want a job any more, in the runs table under `CANCEL#<slot>#<destination>`.
 * A mark stands for one run alone: the next one is not touched. It is written under no fence, since
 * whoever writes it holds no lease, and beside the job's record, which belongs to the worker.
 */
export function openCancellations(client: DynamoDBDocumentClient, table: string, now = Date.now) {
  return {
    /** Whether somebody cancelled this job. */
    async isCancelled(job: JobName): Promise<boolean> {
      const key = { TableName: table, Key: cancelKey(job), ConsistentRead: true };
      const { Item } = await client.send(new GetCommand(key));
      const mark = item.safeParse(Item);
      return mark.success && !isExpired(mark.data, now());
    },

    /** Cancels a job; again is harmless. */
    async cancel(job: JobName): Promise<void> {
      const expiresAt = expiryAfter(KEPT_DAYS, now());
      const at = new Date(now()).toISOString();
      const Item = { ...cancelKey(job), data: { v: 1, at }, expiresAt };
      await client.send(new PutCommand({ TableName: table, Item }));
    },
  };
}
