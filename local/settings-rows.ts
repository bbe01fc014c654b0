import { setTimeout as wait } from 'node:timers/promises';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { type Destinations, serverFor } from './destinations.ts';
import type { LocalUser } from './users.ts';

/** What the pipeline made of a user's row. */
export type Plan =
  | { readonly userId: string; readonly nextRun: Date }
  | { readonly userId: string; readonly refused: string };

const checkedRow = z.object({
  status: z.object({
    nextRun: z.coerce.date().optional(),
    problems: z.array(z.object({ path: z.string(), problem: z.string(), remedy: z.string() })),
  }),
});

const LOOK_EVERY_MS = 100;

/** Writes the rows as a person would: `userId` and `spec`, due every minute. */
export async function writeSettings(
  users: readonly LocalUser[],
  destinations: Destinations,
  table: { readonly dynamodb: DynamoDBClient; readonly name: string },
): Promise<void> {
  const documents = DynamoDBDocumentClient.from(table.dynamodb);
  for (const user of users) {
    const Item = { userId: user.id, spec: specOf(user, destinations) };
    await documents.send(new PutCommand({ TableName: table.name, Item }));
  }
}

/** What a person writes for a user, with the secrets as text. */
export function specOf(user: LocalUser, destinations: Destinations) {
  const named = Object.entries(user.destinations).map(([name, place]) => [
    name,
    {
      type: place.type,
      settings: serverFor(place.type, destinations).settingsFor(user.id, place.password),
    },
  ]);
  return {
    v: 1,
    enabled: true,
    schedule: { cron: '* * * * *', timeZone: 'Europe/Berlin' },
    backUp: user.backUp,
    destinations: Object.fromEntries(named),
  };
}

/**
 * Waits until every row has been checked, and tells when its user runs next or what is wrong.
 * @param until epoch milliseconds; a row that is not checked by then counts as refused
 */
export async function awaitPlans(
  users: readonly LocalUser[],
  table: { readonly dynamodb: DynamoDBClient; readonly name: string },
  until: number,
  signal: AbortSignal,
): Promise<Plan[]> {
  const documents = DynamoDBDocumentClient.from(table.dynamodb);
  return await Promise.all(
    users.map(async ({ id }) => {
      while (Date.now() < until) {
        const { Item } = await documents.send(
          new GetCommand({ TableName: table.name, Key: { userId: id }, ConsistentRead: true }),
        );
        const row = checkedRow.safeParse(Item);
        if (row.success) return toPlan(id, row.data);
        await wait(LOOK_EVERY_MS, undefined, { signal });
      }
      return { userId: id, refused: 'The settings row was not checked in time.' };
    }),
  );
}

function toPlan(userId: string, { status }: z.output<typeof checkedRow>): Plan {
  if (status.nextRun) return { userId, nextRun: status.nextRun };
  const problems = status.problems.map(
    ({ path, problem, remedy }) => `${path}: ${problem} ${remedy}`,
  );
  return { userId, refused: problems.join(' ') || 'The user is not due.' };
}
