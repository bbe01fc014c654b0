import { isDeepStrictEqual } from 'node:util';
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { DeleteCommand, GetCommand, paginateScan, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { USER_ID } from '../functions/core/user.ts';
import { SETTINGS_KEY } from '../functions/settings/keys.ts';
import { Failure, notFound } from './failure.ts';
import type { Ferry } from './ferry.ts';

const lastRun = z.object({
  slot: z.string(),
  outcome: z.string(),
  at: z.string(),
  message: z.string().optional(),
});

/** What Ferry keeps beside the settings; what a person made unreadable counts as absent. */
const status = z.object({
  state: z.enum(['valid', 'invalid']).optional().catch(undefined),
  problems: z
    .array(z.object({ path: z.string(), problem: z.string(), remedy: z.string() }))
    .catch([]),
  nextRun: z.string().optional().catch(undefined),
  destinations: z
    .record(
      z.string(),
      z.object({
        lastRun: lastRun.optional().catch(undefined),
        lastGood: z.string().optional().catch(undefined),
      }),
    )
    .catch({}),
});
export type UserStatus = z.output<typeof status>;

const row = z.object({
  [SETTINGS_KEY]: z.string(),
  spec: z.unknown().optional(),
  status: status.optional().catch(undefined),
});

/** A row of the settings table as the command line sees it. */
export interface StoredUser {
  readonly userId: string;
  /** As people wrote it, with secrets. */
  readonly spec: unknown;
  readonly status: UserStatus | undefined;
  /** The whole item. */
  readonly item: unknown;
}

/** Every user, in no order. */
export async function* listUsers({ documents, outputs }: Ferry): AsyncIterable<StoredUser> {
  const pages = paginateScan({ client: documents }, { TableName: outputs.SettingsTable });
  for await (const { Items = [] } of pages) {
    for (const item of Items) {
      const user = toUser(item);
      // What the operator keeps beside users has a name that none can have.
      if (USER_ID.test(user.userId)) yield user;
    }
  }
}

/** Undefined where there is none. */
export async function findUser(ferry: Ferry, userId: string): Promise<StoredUser | undefined> {
  const { documents } = ferry;
  const { Item } = await documents.send(
    new GetCommand({ ...keyOf(ferry, userId), ConsistentRead: true }),
  );
  return Item && toUser(Item);
}

/** @throws Failure where there is none */
export async function readUser(ferry: Ferry, userId: string): Promise<StoredUser> {
  const found = await findUser(ferry, userId);
  if (found) return found;
  throw noUser(userId);
}

/**
 * Writes the settings of a user who may be new; what Ferry keeps beside them stays.
 * @param seen what was read, where the settings have to be those still
 * @throws Failure where they have changed since
 */
export async function writeSpec(
  ferry: Ferry,
  userId: string,
  spec: unknown,
  seen?: StoredUser,
): Promise<void> {
  // DynamoDB compares maps, but not every emulation does: they are read once more, and what Ferry
  // made of them is compared in the write itself.
  if (seen) {
    const now = await findUser(ferry, userId);
    if (!isDeepStrictEqual(now?.spec, seen.spec)) throw changed();
  }
  const hash = seen && hashOf(seen.item);
  const condition = hash !== undefined && {
    ConditionExpression: '#status.#hash = :hash',
    ExpressionAttributeNames: { '#spec': 'spec', '#status': 'status', '#hash': 'specHash' },
    ExpressionAttributeValues: { ':spec': spec, ':hash': hash },
  };
  const change = {
    UpdateExpression: 'SET #spec = :spec',
    ExpressionAttributeNames: { '#spec': 'spec' },
    ExpressionAttributeValues: { ':spec': spec },
    ...condition,
  };
  await unlessChanged(() =>
    ferry.documents.send(new UpdateCommand({ ...keyOf(ferry, userId), ...change })),
  );
}

const checked = z.object({ status: z.object({ specHash: z.string() }) });

/** Which settings Ferry looked at last; undefined where it did not yet. */
function hashOf(item: unknown): string | undefined {
  return checked.safeParse(item).data?.status.specHash;
}

/**
 * Switches a user, or one destination of theirs, on or off, and changes nothing else.
 * @throws Failure where there is none
 */
export async function switchUser(
  ferry: Ferry,
  userId: string,
  destination: string | undefined,
  enabled: boolean,
): Promise<void> {
  const { spec } = await readUser(ferry, userId);
  if (destination !== undefined) assertDestination(userId, spec, destination);
  const place = destination === undefined ? '#spec' : '#spec.#destinations.#destination';
  const change = {
    UpdateExpression: `SET ${place}.#enabled = :enabled`,
    ConditionExpression: `attribute_type(${place}, :map)`,
    ExpressionAttributeNames: {
      '#spec': 'spec',
      '#enabled': 'enabled',
      ...(destination === undefined
        ? {}
        : { '#destinations': 'destinations', '#destination': destination }),
    },
    ExpressionAttributeValues: { ':enabled': enabled, ':map': 'M' },
  };
  await unlessChanged(() =>
    ferry.documents.send(new UpdateCommand({ ...keyOf(ferry, userId), ...change })),
  );
}

/** @throws Failure where there is none */
export async function removeUser(ferry: Ferry, userId: string): Promise<void> {
  const { documents } = ferry;
  const { Attributes } = await documents.send(
    new DeleteCommand({ ...keyOf(ferry, userId), ReturnValues: 'ALL_OLD' }),
  );
  if (!Attributes) throw noUser(userId);
}

const named = z.object({ destinations: z.record(z.string(), z.unknown()) });

/** The names of the destinations in settings that may be wrong otherwise. */
export function destinationNames(spec: unknown): readonly string[] {
  return Object.keys(named.safeParse(spec).data?.destinations ?? {});
}

/** @throws Failure where the user has no destination of this name */
export function assertDestination(userId: string, spec: unknown, destination: string): void {
  const names = destinationNames(spec);
  if (names.includes(destination)) return;
  const others = names.length === 0 ? 'It has none' : `It has: ${names.join(', ')}`;
  throw notFound(`The row of "${userId}" has no destination "${destination}". ${others}.`);
}

function toUser(item: unknown): StoredUser {
  const { userId, spec, status: kept } = row.parse(item);
  return { userId, spec, status: kept, item };
}

/** Where a user's row is. */
export function keyOf({ outputs }: Pick<Ferry, 'outputs'>, userId: string) {
  return { TableName: outputs.SettingsTable, Key: { [SETTINGS_KEY]: userId } };
}

function noUser(userId: string): Failure {
  return notFound(
    `There is no user "${userId}". "ferry user put" makes one; "ferry user list" tells who there is.`,
  );
}

/** @throws Failure where the condition of the write does not hold */
export async function unlessChanged(write: () => Promise<unknown>): Promise<void> {
  try {
    await write();
  } catch (thrown) {
    if (!(thrown instanceof ConditionalCheckFailedException)) throw thrown;
    throw changed();
  }
}

function changed(): Failure {
  return new Failure('The row has changed meanwhile. Look at it, and run this again.');
}
