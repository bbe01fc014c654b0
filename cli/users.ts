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
 * What has to be in the row still for settings to be written: those that were read, none at all, or
 * whatever there is.
 */
export type Expected = StoredUser | 'none' | 'any';

/** A row without settings is as good as none. */
export function expectSame(seen: StoredUser | undefined): StoredUser | 'none' {
  return seen?.spec === undefined ? 'none' : seen;
}

/**
 * Writes the settings of a user; what Ferry keeps beside them stays.
 * @throws Failure where the row does not hold what is expected
 */
export async function writeSpec(
  ferry: Ferry,
  userId: string,
  spec: unknown,
  expected: Expected,
): Promise<void> {
  // DynamoDB compares maps, but not every emulation does: they are read once more, and what Ferry
  // made of them is compared in the write itself.
  if (typeof expected === 'object') {
    const now = await findUser(ferry, userId);
    if (!isDeepStrictEqual(now?.spec, expected.spec)) throw changed();
  }
  const { names, values, ...condition } = conditionFor(expected);
  const change = {
    UpdateExpression: 'SET #spec = :spec',
    ExpressionAttributeNames: { '#spec': 'spec', ...names },
    ExpressionAttributeValues: { ':spec': spec, ...values },
    ...condition,
  };
  await unlessChanged(
    () => ferry.documents.send(new UpdateCommand({ ...keyOf(ferry, userId), ...change })),
    expected === 'none' ? () => madeMeanwhile(userId) : changed,
  );
}

function conditionFor(expected: Expected) {
  if (expected === 'any') return {};
  if (expected === 'none') return { ConditionExpression: 'attribute_not_exists(#spec)' };
  const hash = hashOf(expected.item);
  if (hash === undefined) return { ConditionExpression: 'attribute_exists(#spec)' };
  return {
    ConditionExpression: '#status.#hash = :hash',
    names: { '#status': 'status', '#hash': 'specHash' },
    values: { ':hash': hash },
  };
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
  if (!names.includes(destination)) throw noDestination(userId, destination, names);
}

/**
 * For whoever found nothing of a user: what was removed may have left something.
 * @throws Failure where there is no such user, or no such destination of theirs
 */
export async function assertThere(
  ferry: Ferry,
  userId: string,
  destination: string | undefined,
): Promise<void> {
  const { spec } = await readUser(ferry, userId);
  if (destination !== undefined) assertDestination(userId, spec, destination);
}

export function noDestination(
  userId: string,
  destination: string,
  names: readonly string[],
): Failure {
  const others = names.length === 0 ? 'It has none' : `It has: ${names.join(', ')}`;
  return notFound(`The row of "${userId}" has no destination "${destination}". ${others}.`);
}

function toUser(item: unknown): StoredUser {
  const { userId, spec, status: kept } = row.parse(item);
  return { userId, spec, status: kept, item };
}

/** Where a user's row is. */
export function keyOf({ outputs }: Pick<Ferry, 'outputs'>, userId: string) {
  return { TableName: outputs.SettingsTable, Key: { [SETTINGS_KEY]: userId } };
}

/** Told wherever a user is named who is not there. */
export function noUser(userId: string): Failure {
  return notFound(
    `There is no user "${userId}". "ferry user put" makes one; "ferry user list" tells who there is.`,
  );
}

/** @throws Failure where the condition of the write does not hold */
export async function unlessChanged(
  write: () => Promise<unknown>,
  toFailure: () => Failure = changed,
): Promise<void> {
  try {
    await write();
  } catch (thrown) {
    if (!(thrown instanceof ConditionalCheckFailedException)) throw thrown;
    throw toFailure();
  }
}

function madeMeanwhile(userId: string): Failure {
  return new Failure(
    `Somebody else has made "${userId}" meanwhile; nothing was written. Look at it with "ferry user show ${userId}", and run this again to write yours in its place.`,
  );
}

function changed(): Failure {
  return new Failure('The row has changed meanwhile. Look at it, and run this again.');
}
