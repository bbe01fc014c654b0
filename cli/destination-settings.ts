import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { Failure } from './failure.ts';
import type { Ferry } from './ferry.ts';
import {
  assertDestination,
  destinationNames,
  expectSame,
  findUser,
  keyOf,
  readUser,
  unlessChanged,
  writeSpec,
} from './users.ts';

/** One destination of one user in the settings table. */
export interface DestinationPlace {
  readonly userId: string;
  readonly destination: string;
}

const extensible = z.looseObject({ destinations: z.record(z.string(), z.unknown()) });
const readable = z.object({
  type: z.string(),
  settings: z.record(z.string(), z.unknown()),
});

/** A destination whose type is known and whose settings can be added to. */
export interface ReadableDestination {
  readonly type: string;
  readonly settings: Readonly<Record<string, unknown>>;
}

/**
 * One destination as people wrote it.
 * @param type that it has to have, where only one will do
 * @throws Failure where there is no such destination
 */
export async function readDestination(
  ferry: Ferry,
  { userId, destination }: DestinationPlace,
  type?: string,
): Promise<ReadableDestination> {
  const { spec } = await readUser(ferry, userId);
  assertDestination(userId, spec, destination);
  const named = extensible.parse(spec).destinations;
  const found = readable.safeParse(named[destination]);
  if (!found.success) {
    throw new Failure(
      `The destination "${destination}" of "${userId}" needs "type" and "settings" as a map. Correct the row first.`,
    );
  }
  if (type !== undefined && found.data.type !== type) {
    throw new Failure(
      `The destination "${destination}" of "${userId}" is of type ${found.data.type}, not ${type}.`,
    );
  }
  return found.data;
}

/** Whether there are the user and a destination of this name. */
export async function hasDestination(
  ferry: Ferry,
  { userId, destination }: DestinationPlace,
): Promise<boolean> {
  return destinationNames((await findUser(ferry, userId))?.spec).includes(destination);
}

/**
 * Adds a destination to a user, who is made with it where there is none: then everything that is
 * staged is delivered each night.
 * @throws Failure where the row has changed meanwhile
 */
export async function addDestination(
  ferry: Ferry,
  { userId, destination }: DestinationPlace,
  type: string,
  settings: Readonly<Record<string, unknown>>,
): Promise<void> {
  const seen = await findUser(ferry, userId);
  const spec = extensible.parse(seen?.spec ?? { v: 1, destinations: {} });
  const added = { ...spec.destinations, [destination]: { type, settings } };
  await writeSpec(ferry, userId, { ...spec, destinations: added }, expectSame(seen));
}

/**
 * Sets some settings of a destination and leaves everything else as people wrote it.
 * @throws Failure where the destination has become another meanwhile
 */
export async function writeSettings(
  ferry: Ferry,
  { userId, destination }: DestinationPlace,
  type: string,
  settings: Readonly<Record<string, unknown>>,
): Promise<void> {
  const given = Object.entries(settings).map(([name, value], at) => ({ at, name, value }));
  const place = '#spec.#destinations.#destination';
  const assignments = given.map(({ at }) => `${place}.#settings.#name${at} = :value${at}`);
  const change = {
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
  };
  await unlessChanged(() =>
    ferry.documents.send(new UpdateCommand({ ...keyOf(ferry, userId), ...change })),
  );
}
