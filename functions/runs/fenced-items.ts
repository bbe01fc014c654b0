import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { DeleteCommand, type DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import { FerryError } from '../core/errors.ts';
import { expiryAfter } from './expiry.ts';

export type Key = { readonly pk: string; readonly sk: string };

/** Items of the runs table that are written under a lease's fence. */
export function openFencedItems(client: DynamoDBDocumentClient, table: string, now: () => number) {
  /** Orders what one process writes: later is greater, and about as late as the clock says. */
  let latest = 0;
  const nextOrder = () => {
    latest = Math.max(latest + 1, now());
    return latest;
  };

  const itemOf = (fence: number, key: Key, data: unknown, keepDays: number) => ({
    ...{ ...key, fence, data },
    ...{ order: nextOrder(), expiresAt: expiryAfter(keepDays, now()) },
  });

  return {
    /** Writes an item where there is none yet. False, and nothing written, where there is one. */
    async putNew(fence: number, key: Key, data: unknown, keepDays: number): Promise<boolean> {
      try {
        await client.send(
          new PutCommand({
            TableName: table,
            Item: itemOf(fence, key, data, keepDays),
            ConditionExpression: 'attribute_not_exists(fence)',
          }),
        );
        return true;
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return false;
        throw error;
      }
    },

    /**
     * Writes an item unless a later holder of the lease has written it, or this one has since: a request
     * that counted as lost, and was sent again, may still arrive after the next one.
     * @throws FerryError `lease-lost`
     */
    async put(
      fence: number,
      key: Key & Readonly<Record<string, string>>,
      data: unknown,
      keepDays: number,
    ): Promise<void> {
      const Item = itemOf(fence, key, data, keepDays);
      await fenced(() =>
        client.send(
          new PutCommand({
            TableName: table,
            Item,
            ConditionExpression:
              'attribute_not_exists(fence) OR fence < :fence ' +
              'OR (fence = :fence AND (attribute_not_exists(#order) OR #order <= :order))',
            ExpressionAttributeNames: { '#order': 'order' },
            ExpressionAttributeValues: { ':fence': fence, ':order': Item.order },
          }),
        ),
      );
    },

    /**
     * Removes an item unless a later holder of the lease has written it.
     * @throws FerryError `lease-lost`
     */
    async remove(fence: number, key: Key): Promise<void> {
      await fenced(() =>
        client.send(
          new DeleteCommand({
            TableName: table,
            Key: key,
            ConditionExpression: 'attribute_not_exists(fence) OR fence <= :fence',
            ExpressionAttributeValues: { ':fence': fence },
          }),
        ),
      );
    },
  };
}

async function fenced(write: () => Promise<unknown>): Promise<void> {
  try {
    await write();
  } catch (cause) {
    if (!(cause instanceof ConditionalCheckFailedException)) throw cause;
    throw leaseLost(cause);
  }
}

export function leaseLost(cause?: unknown): FerryError {
  return new FerryError('lease-lost', 'Another worker has taken this transfer over.', {
    retry: 'later',
    cause,
  });
}
