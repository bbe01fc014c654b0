import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import {
  type DynamoDBDocumentClient,
  GetCommand,
  UpdateCommand,
  type UpdateCommandInput,
} from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { hashContent } from '../core/content-hash.ts';
import { DEFAULT_POLICY, POLICY_ID, type Policy, type PolicyState } from '../core/policy.ts';
import type { Parsed, Problem } from '../core/problem.ts';
import { parsePolicy } from './policy.ts';

/** For so long a process goes by the policy that it read, in ms. */
const KEPT_MS = 60_000;

/** The settings table names its key so, also for this one item. */
const POLICY_KEY = { userId: POLICY_ID };

const item = z.object({
  policy: z.unknown().optional(),
  inForce: z.unknown().optional(),
  status: z.object({ policyHash: z.string() }).optional().catch(undefined),
});

/**
 * The operator's policy, one item of the settings table:
 *
 *     { userId: '#policy', policy: what the operator wrote,
 *       inForce: the last `policy` that could be used,
 *       status: { v: 1, state: 'valid' | 'invalid', problems, checkedAt, policyHash } }
 *
 * `policy` belongs to people, the rest to the pipeline. Where `policy` cannot be used, `inForce` goes
 * on to count, and where there is none, Ferry's own defaults do: those allow no more than a public
 * address over an encrypted connection.
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

  /** Writes beside the policy; nothing where it was removed meanwhile. */
  const note = async (change: Omit<UpdateCommandInput, 'TableName' | 'Key'>): Promise<void> => {
    const ConditionExpression = 'attribute_exists(userId)';
    await client
      .send(
        new UpdateCommand({ TableName: table, Key: POLICY_KEY, ConditionExpression, ...change }),
      )
      .catch((error: unknown) => {
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
      });
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

    /** Writes what the operator wants, where it can be used. */
    async put(written: unknown): Promise<Parsed<Policy>> {
      const parsed = parsePolicy(written, types);
      if (parsed.ok) {
        await client.send(
          new UpdateCommand({
            TableName: table,
            Key: POLICY_KEY,
            UpdateExpression: 'SET #policy = :policy',
            ExpressionAttributeNames: { '#policy': 'policy' },
            ExpressionAttributeValues: { ':policy': written },
          }),
        );
        kept = undefined;
      }
      return parsed;
    },

    /** Keeps a usable one for when one comes that is not. */
    async keep({ written, problems, keptHash }: PolicyState): Promise<void> {
      if (written === undefined || problems.length > 0 || keptHash === written.hash) return;
      await note({
        UpdateExpression: 'SET inForce = :good',
        ExpressionAttributeValues: { ':good': written.policy },
      });
    },

    /** Notes in the item what was made of it. */
    async settle({ written, problems }: PolicyState): Promise<void> {
      if (written === undefined) return;
      const status = {
        v: 1,
        state: problems.length === 0 ? 'valid' : 'invalid',
        problems,
        checkedAt: new Date(now()).toISOString(),
        policyHash: written.hash,
      };
      await note({
        UpdateExpression: 'SET #status = :status',
        ExpressionAttributeNames: { '#status': 'status' },
        ExpressionAttributeValues: { ':status': status },
      });
    },
  };
}

function readState(given: unknown, types: readonly string[]): PolicyState {
  if (given === undefined) return { policy: DEFAULT_POLICY, problems: [] };
  const { policy, inForce, status } = item.parse(given);
  const written = { policy, hash: hashContent(policy) };
  const keptHash = inForce === undefined ? undefined : hashContent(inForce);
  const told = { written, checkedHash: status?.policyHash, keptHash };
  const parsed = parsePolicy(policy, types);
  if (parsed.ok) return { policy: parsed.value, problems: [], ...told };
  const last = parsePolicy(inForce, types);
  return { policy: last.ok ? last.value : DEFAULT_POLICY, problems: parsed.problems, ...told };
}
