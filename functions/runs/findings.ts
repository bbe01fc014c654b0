import { type DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import type { Json } from '../core/checkpoint.ts';
import { expiryAfter, isExpired } from './expiry.ts';
import { userKey } from './keys.ts';

/** Servers are updated now and then, and may behave otherwise. */
const KEPT_DAYS = 30;

const item = z.object({ data: z.json(), expiresAt: z.number() });

/** One destination of one user. */
interface Place {
  readonly userId: string;
  readonly destination: string;
}

/**
 * What drivers found out about servers, in the runs table under `FINDINGS#<destination>`. Written under
 * no fence: what was found out is true for every worker, and the newest counts.
 */
export function openFindings(client: DynamoDBDocumentClient, table: string, now = Date.now) {
  const keyOf = ({ userId, destination }: Place) => ({
    pk: userKey(userId),
    sk: `FINDINGS#${destination}`,
  });
  return {
    async recall(place: Place): Promise<Json | undefined> {
      const { Item } = await client.send(new GetCommand({ TableName: table, Key: keyOf(place) }));
      const found = item.safeParse(Item);
      return found.success && !isExpired(found.data, now()) ? found.data.data : undefined;
    },

    async remember(place: Place, data: Json, days = KEPT_DAYS): Promise<void> {
      const expiresAt = expiryAfter(days, now());
      const Item = { ...keyOf(place), data, expiresAt };
      await client.send(new PutCommand({ TableName: table, Item }));
    },
  };
}
