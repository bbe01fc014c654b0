import {
  type DynamoDBDocumentClient,
  GetCommand,
  paginateQuery,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import type { Lease } from '../core/lease.ts';
import { usageKey, userKey } from './keys.ts';
import { leaseSchema } from './schema.ts';

/** As long as receipts. */
const KEPT_SECONDS = 400 * 24 * 3600;

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
            ':expiry': Math.floor(now() / 1000) + KEPT_SECONDS,
            ':bytes': bytes,
          },
        }),
      );
    },

    /** How many other destinations of the user somebody delivers to now. */
    async othersAtWork(lease: Lease): Promise<number> {
      const pages = paginateQuery(
        { client },
        {
          TableName: table,
          ConsistentRead: true,
          KeyConditionExpression: 'pk = :user AND begins_with(sk, :kind)',
          ExpressionAttributeValues: { ':user': userKey(lease.userId), ':kind': 'LEASE#' },
        },
      );
      let others = 0;
      for await (const { Items = [] } of pages) {
        const live = z
          .array(leaseSchema)
          .parse(Items)
          .filter(({ until }) => until >= now());
        others += live.filter(({ jobId }) => jobId !== lease.jobId).length;
      }
      return others;
    },
  };
}
