import { type DynamoDBDocumentClient, GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import type { Lease } from '../core/lease.ts';
import { expiryAfter } from './expiry.ts';
import { usageKey } from './keys.ts';
import { itemsOf } from './partition.ts';
import { leaseSchema } from './schema.ts';

/** As long as receipts. */
const KEPT_DAYS = 400;

const usage = z.object({ bytes: z.number() });

/** What one user takes of the deployment, by which the operator's limits are kept. */
export function openUsage(client: DynamoDBDocumentClient, table: string, now: () => number) {
  return {
    /** Bytes delivered for a user within a month, such as `2026-11`. */
    async deliveredIn(userId: string, month: string): Promise<number> {
      const { Item } = await client.send(
        new GetCommand({ TableName: table, Key: usageKey(userId, month), ConsistentRead: true }),
      );
      return Item === undefined ? 0 : usage.parse(Item).bytes;
    },

    /** Adds a delivery to the month. Under no fence: what has its receipt was delivered. */
    async countDelivered(userId: string, month: string, bytes: number): Promise<void> {
      await client.send(
        new UpdateCommand({
          TableName: table,
          Key: usageKey(userId, month),
          UpdateExpression: 'SET expiresAt = :expiry ADD #bytes :bytes',
          ExpressionAttributeNames: { '#bytes': 'bytes' },
          ExpressionAttributeValues: {
            ':expiry': expiryAfter(KEPT_DAYS, now()),
            ':bytes': bytes,
          },
        }),
      );
    },

    /** How many other destinations of the user somebody delivers to now. */
    async othersAtWork(lease: Lease): Promise<number> {
      let others = 0;
      const leases = itemsOf(client, table, lease.userId, 'LEASE#', { ConsistentRead: true });
      for await (const item of leases) {
        const { jobId, until } = leaseSchema.parse(item);
        if (until >= now() && jobId !== lease.jobId) others += 1;
      }
      return others;
    },
  };
}
