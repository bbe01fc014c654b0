import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { hashContent } from '../core/content-hash.ts';
import {
  DEFAULT_POLICY,
  POLICY_ID,
  type Policy,
  type PolicyState,
  type PolicyWalk,
} from '../core/policy.ts';
import type { Parsed, Problem } from '../core/problem.ts';
import { parsePolicy } from './policy.ts';

/** For so long a process goes by the policy that it read, in ms. */
const KEPT_MS = 60_000;

/** The settings table names its key so, also for this one item. */
const POLICY_KEY = { userId: POLICY_ID };

const walkMark = z.object({
  policyHash: z.string(),
  after: z.string().optional(),
  rows: z.int().min(0),
});

/** What is left of a policy that was removed; a misspelt `policy` is not. */
const removedItem = z.strictObject({
  userId: z.literal(POLICY_ID),
  walk: z.unknown().optional(),
  status: z.unknown().optional(),
});

const storedItem = z.object({
  policy: z.unknown().optional(),
  inForce: z.unknown().optional(),
  walk: z.unknown().optional(),
  status: z.object({ policyHash: z.string() }).optional().catch(undefined),
});

/**
 * The operator's policy, one item of the settings table:
 *
 *     { userId: '#policy', policy: what the operator wrote,
 *       inForce: the last `policy` that could be used,
 *       walk: { policyHash, after: the last user who was looked at, rows } while there are more,
 *       status: { v: 1, state: 'valid' | 'invalid', problems, checkedAt, policyHash } }
 *
 * `policy` belongs to people, the rest to the pipeline. Where `policy` cannot be used, `inForce` goes
 * on to count, and where there is none, Ferry's own defaults do: those allow no more than a public
 * address over an encrypted connection.
 * An item without both is what is left of a policy that was removed: `walk`, then `status`, tell how far
 * the rows have been held against the defaults.
 * @param types of destination that there are
 * @param onBroken told each time that a policy which cannot be used is met
 */
export function openPolicyTable(
  client: DynamoDBDocumentClient,
  table: string,
  types: readonly string[],
  onBroken: (problems: readonly Problem[]) => void,
  now = Date.now,
) {
  let kept: { readonly until: number; readonly policy: Promise<Policy> } | undefined;

  const look = async (): Promise<PolicyState> => {
    const { Item } = await client.send(
      new GetCommand({ TableName: table, Key: POLICY_KEY, ConsistentRead: true }),
    );
    const state = readState(Item, types);
    if (state.problems.length > 0) onBroken(state.problems);
    return state;
  };

  /**
   * Writes beside the policy. False, and nothing written, where it was removed or put meanwhile, or
   * where the walk is not any more where it was seen to be.
   */
  const note = async (
    state: PolicyState,
    UpdateExpression: string,
    values: Readonly<Record<string, unknown>>,
  ): Promise<boolean> => {
    const gone = state.written === undefined;
    const stands = gone ? 'attribute_not_exists(#policy)' : 'attribute_exists(userId)';
    const unmoved = unmovedSince(state);
    const ConditionExpression = [stands, ...unmoved.conditions].join(' AND ');
    const used = `${UpdateExpression} ${ConditionExpression}`;
    const names = ['after', 'policy', 'status', 'walk'].map((name) => [`#${name}`, name] as const);
    try {
      await client.send(
        new UpdateCommand({
          TableName: table,
          Key: POLICY_KEY,
          UpdateExpression,
          ConditionExpression,
          ExpressionAttributeNames: Object.fromEntries(
            names.filter(([name]) => used.includes(name)),
          ),
          ExpressionAttributeValues: { ...values, ...unmoved.values },
        }),
      );
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  };

  return {
    /** As it stands now. */
    look,

    /** What counts, at most a minute old. */
    read(): Promise<Policy> {
      if (kept !== undefined && now() < kept.until) return kept.policy;
      const policy = look().then((state) => state.policy);
      const reading = { until: now() + KEPT_MS, policy };
      kept = reading;
      // What failed is asked again by the next.
      policy.catch(() => {
        if (kept === reading) kept = undefined;
      });
      return policy;
    },

    /** The next `read` asks the table. */
    forget(): void {
      kept = undefined;
    },

    /** Writes what the operator wants, where it can be used; every row is then looked at from the first. */
    async put(written: unknown): Promise<Parsed<Policy>> {
      const parsed = parsePolicy(written, types);
      if (parsed.ok) {
        await client.send(
          new UpdateCommand({
            TableName: table,
            Key: POLICY_KEY,
            UpdateExpression: 'SET #policy = :policy REMOVE #walk, #status',
            ExpressionAttributeNames: {
              '#policy': 'policy',
              '#walk': 'walk',
              '#status': 'status',
            },
            ExpressionAttributeValues: { ':policy': written },
          }),
        );
        kept = undefined;
      }
      return parsed;
    },

    /**
     * Begins a walk over all rows, and by the same write keeps a usable policy for when one comes that
     * is not. The state that stands then; undefined where it changed meanwhile.
     */
    async begin(state: PolicyState): Promise<PolicyState | undefined> {
      const { hash, problems, written } = state;
      const walk = { policyHash: hash, rows: 0 };
      const keeps = written !== undefined && problems.length === 0;
      const begun = await note(
        state,
        keeps ? 'SET #walk = :walk, inForce = :good' : 'SET #walk = :walk',
        { ':walk': walk, ...(keeps ? { ':good': written.policy } : {}) },
      );
      return begun ? { ...state, walk, mark: walk } : undefined;
    },

    /** Notes how far the walk has come. False where somebody else has moved it, or begun another. */
    moveOn: (state: PolicyState, walk: PolicyWalk): Promise<boolean> =>
      note(state, 'SET #walk = :walk', { ':walk': walk }),

    /** Ends the walk and notes in the item what was made of it; false as for `moveOn`. */
    settle(state: PolicyState): Promise<boolean> {
      const status = {
        v: 1,
        state: state.problems.length === 0 ? 'valid' : 'invalid',
        problems: state.problems,
        checkedAt: new Date(now()).toISOString(),
        policyHash: state.hash,
      };
      return note(state, 'SET #status = :status REMOVE #walk', { ':status': status });
    },
  };
}

/** Holds while the walk is where it was. One that cannot be read is written over by whoever comes. */
function unmovedSince({ mark, walk }: PolicyState) {
  if (mark === undefined) return { conditions: ['attribute_not_exists(#walk)'], values: {} };
  if (walk === undefined) return { conditions: [], values: {} };
  const { policyHash, after } = walk;
  const there =
    after === undefined ? 'attribute_not_exists(#walk.#after)' : '#walk.#after = :seenAfter';
  return {
    conditions: ['#walk.policyHash = :seenHash', there],
    values: { ':seenHash': policyHash, ...(after === undefined ? {} : { ':seenAfter': after }) },
  };
}

function readState(given: unknown, types: readonly string[]): PolicyState {
  const stored = storedItem.parse(given ?? {});
  const { policy, inForce, status, walk: mark } = stored;
  const walk = walkMark.safeParse(mark).data;
  const at = { hash: hashContent(policy), checkedHash: status?.policyHash, mark, walk };
  if (isNothingWritten(given)) return { policy: DEFAULT_POLICY, problems: [], ...at };
  const told = { ...at, written: { policy } };
  const parsed = parsePolicy(policy, types);
  if (parsed.ok) return { policy: parsed.value, problems: [], ...told };
  const last = parsePolicy(inForce, types);
  return { policy: last.ok ? last.value : DEFAULT_POLICY, problems: parsed.problems, ...told };
}

/** Whether there is nothing, or nothing but what the pipeline notes of a policy that was removed. */
function isNothingWritten(given: unknown): boolean {
  return given === undefined || removedItem.safeParse(given).success;
}
