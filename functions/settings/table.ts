import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import {
  type DynamoDBDocumentClient,
  GetCommand,
  paginateQuery,
  paginateScan,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { POLICY_ID, type Policy } from '../core/policy.ts';
import type { Due, UserRow, Verdict } from '../core/user.ts';
import { DUE_INDEX, SETTINGS_KEY } from './keys.ts';
import { type Change, type LastRun, marksChange, marksOf } from './last-run.ts';
import { type ParseDestination, readRow } from './row.ts';
import { verdictChange } from './verdict-change.ts';

/** Rows of one page of the due index, all of which are handled at once. */
const PAGE = 50;

const anyItem = z.object({ [SETTINGS_KEY]: z.string() });
const dueUser = z.object({ [SETTINGS_KEY]: z.string(), [DUE_INDEX.sortKey]: z.string() });

/**
 * The settings table. `spec` belongs to people, and nothing of it is written here but sealed secrets in
 * place of readable ones; the pipeline writes the due keys and, path by path so that several writers
 * keep out of each other's way:
 *
 *     status: { v: 1, state: 'valid' | 'invalid', problems: [{ path, problem, remedy }], checkedAt,
 *               specHash, nextRun?, destinations: { <name>: { lastRun: LastRun, lastGood? } } }
 *
 * No write brings a deleted row back.
 * @param policy what the operator allows; rows that ask for more are invalid
 */
export function openSettingsTable<Configured>(
  client: DynamoDBDocumentClient,
  table: string,
  parseDestination: ParseDestination<Configured>,
  policy: () => Promise<Policy>,
  now = Date.now,
) {
  const row = (userId: string) => ({ TableName: table, Key: { [SETTINGS_KEY]: userId } });

  /** False where the condition does not hold. */
  const update = async (userId: string, change: Change): Promise<boolean> => {
    try {
      await client.send(new UpdateCommand({ ...row(userId), ...change }));
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  };

  /** Makes each level of a path a map where it is not one, outermost first. */
  const healPath = async (userId: string, path: readonly string[]): Promise<void> => {
    for (let depth = 1; depth <= path.length; depth++) {
      const names = path.slice(0, depth).map((name, at) => [`#p${at}`, name] as const);
      const place = names.map(([placeholder]) => placeholder).join('.');
      await update(userId, {
        UpdateExpression: `SET ${place} = :empty`,
        ConditionExpression: `attribute_exists(#id) AND NOT attribute_type(${place}, :map)`,
        ExpressionAttributeNames: { '#id': SETTINGS_KEY, ...Object.fromEntries(names) },
        ExpressionAttributeValues: { ':empty': {}, ':map': 'M' },
      });
    }
  };

  /** Updates below `path`, which is not there after somebody put the whole row anew. */
  const updateBelow = async (userId: string, path: readonly string[], change: Change) => {
    try {
      return await update(userId, change);
    } catch (error) {
      if (!isMissingPath(error)) throw error;
      await healPath(userId, path);
      return update(userId, change);
    }
  };

  return {
    /** The row as it is now; undefined where there is none. */
    async read(userId: string): Promise<UserRow<Configured> | undefined> {
      const { Item } = await client.send(new GetCommand({ ...row(userId), ConsistentRead: true }));
      return Item && readRow(Item, parseDestination, await policy());
    },

    /** What `only` of a row gave earlier, by what is allowed now. */
    readKept: async (item: unknown): Promise<UserRow<Configured>> =>
      readRow(item, parseDestination, await policy()),

    /** Users of one shard who are due at `until` (ISO 8601 UTC) or earlier, longest first, by pages. */
    async *due(shard: string, until: string) {
      const pages = paginateQuery(
        { client, pageSize: PAGE },
        {
          TableName: table,
          IndexName: DUE_INDEX.name,
          KeyConditionExpression: '#shard = :shard AND #at <= :until',
          ExpressionAttributeNames: { '#shard': DUE_INDEX.partitionKey, '#at': DUE_INDEX.sortKey },
          ExpressionAttributeValues: { ':shard': shard, ':until': until },
        },
      );
      for await (const { Items = [] } of pages) {
        yield z
          .array(dueUser)
          .parse(Items)
          .map(({ userId, dueAt }) => ({ userId, at: dueAt }));
      }
    },

    /** The ids of all users, by pages, in the table's own order; those behind `after` alone, there or not. */
    async *everyone(after?: string) {
      const pages = paginateScan(
        {
          client,
          pageSize: PAGE,
          ...(after === undefined ? {} : { startingToken: { [SETTINGS_KEY]: after } }),
        },
        {
          TableName: table,
          ConsistentRead: true,
          ProjectionExpression: '#id',
          ExpressionAttributeNames: { '#id': SETTINGS_KEY },
        },
      );
      for await (const { Items = [] } of pages) {
        const ids = z
          .array(anyItem)
          .parse(Items)
          .map((item) => item[SETTINGS_KEY]);
        yield ids.filter((id) => id !== POLICY_ID);
      }
    },

    /**
     * Writes a verdict on the spec into status and due keys, and sealed secrets into the spec. False,
     * and nothing written, where the row is gone or no longer due when it was `seen` to be, or where a
     * secret to be replaced is another by now.
     */
    save: (userId: string, seen: Due | undefined, verdict: Verdict): Promise<boolean> =>
      updateBelow(userId, ['status'], verdictChange(seen, verdict, now())),

    /**
     * Has a row looked at that nobody has looked at as it stands: the stream tells of changes only, and
     * this is one. Nothing happens where the row is gone.
     */
    async askForCheck(userId: string): Promise<void> {
      await updateBelow(userId, ['status'], {
        UpdateExpression: 'SET #s.askedAt = :now',
        ConditionExpression: 'attribute_exists(#id)',
        ExpressionAttributeNames: { '#id': SETTINGS_KEY, '#s': 'status' },
        ExpressionAttributeValues: { ':now': new Date(now()).toISOString() },
      });
    },

    /**
     * Notes how a run ended. One of an earlier slot leaves what a later one has told, and when a run last
     * succeeded never goes back. Nothing happens where the row is gone.
     */
    async recordRun(userId: string, destination: string, lastRun: LastRun): Promise<void> {
      const path = ['status', 'destinations', destination];
      const marks = marksOf(lastRun);
      if ((await updateBelow(userId, path, marksChange(destination, marks))) || marks.length === 1)
        return;
      // One of them may not be written any more: each for itself.
      for (const mark of marks) await updateBelow(userId, path, marksChange(destination, [mark]));
    },
  };
}

/** "The document path provided in the update expression is invalid for update" */
function isMissingPath(error: unknown): boolean {
  return (
    error instanceof Error &&
    error.name === 'ValidationException' &&
    error.message.includes('document path')
  );
}
