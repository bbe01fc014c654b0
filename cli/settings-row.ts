import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import type { SealedValue } from '../functions/core/user.ts';
import { SETTINGS_KEY } from '../functions/settings/keys.ts';
import { Failure } from './failure.ts';

/** One destination of one user in the settings table. */
export interface Place {
  readonly table: string;
  readonly userId: string;
  readonly destination: string;
}

const destinations = z.object({
  spec: z.object({ destinations: z.record(z.string(), z.unknown()) }),
});
const readable = z.object({
  type: z.string(),
  settings: z.record(z.string(), z.unknown()),
});

/**
 * The settings of a destination as people wrote them.
 * @throws Failure where there is no such destination of this type
 */
export async function readSettings(
  client: DynamoDBDocumentClient,
  { table, userId, destination }: Place,
  type: string,
): Promise<Readonly<Record<string, unknown>>> {
  const key = { TableName: table, Key: { [SETTINGS_KEY]: userId } };
  const { Item } = await client.send(new GetCommand({ ...key, ConsistentRead: true }));
  if (!Item) {
    throw new Failure(`There is no user "${userId}" in ${table}. Put the row there first.`);
  }
  const named = destinations.safeParse(Item).data?.spec.destinations ?? {};
  if (!Object.hasOwn(named, destination)) {
    const names = Object.keys(named);
    const others = names.length === 0 ? 'It has none' : `It has: ${names.join(', ')}`;
    throw new Failure(
      `The row of "${userId}" has no destination "${destination}". ${others}. Add one of type ${type} first, with "settings" as a map.`,
    );
  }
  const found = readable.safeParse(named[destination]);
  if (!found.success) {
    throw new Failure(
      `The destination "${destination}" of "${userId}" needs "type" and "settings" as a map. Correct the row first.`,
    );
  }
  if (found.data.type !== type) {
    throw new Failure(
      `The destination "${destination}" of "${userId}" is of type ${found.data.type}, not ${type}.`,
    );
  }
  return found.data.settings;
}

/**
 * Sets some settings of a destination, secrets sealed, and leaves everything else as people wrote it.
 * @throws Failure where the destination has become another meanwhile
 */
export async function writeSettings(
  client: DynamoDBDocumentClient,
  { table, userId, destination }: Place,
  type: string,
  settings: Readonly<Record<string, string | SealedValue>>,
): Promise<void> {
  const given = Object.entries(settings).map(([name, value], at) => ({ at, name, value }));
  const place = '#spec.#destinations.#destination';
  const assignments = given.map(({ at }) => `${place}.#settings.#name${at} = :value${at}`);
  try {
    await client.send(
      new UpdateCommand({
        TableName: table,
        Key: { [SETTINGS_KEY]: userId },
        UpdateExpression: `SET ${assignments.join(', ')}`,
        ConditionExpression: `${place}.#type = :type AND attribute_type(${place}.#settings, :map)`,
        ExpressionAttributeNames: {
          '#spec': 'spec',
          '#destinations': 'destinations',
          '#destination': destination,
          '#settings': 'settings',
          '#type': 'type',
          ...Object.fromEntries(given.map(({ at, name }) => [`#name${at}`, name])),
        },
        ExpressionAttributeValues: {
          ':type': type,
          ':map': 'M',
          ...Object.fromEntries(given.map(({ at, value }) => [`:value${at}`, value])),
        },
      }),
    );
  } catch (thrown) {
    if (!(thrown instanceof ConditionalCheckFailedException)) throw thrown;
    throw new Failure('The row has changed meanwhile. Look at it, and run this again.');
  }
}
