import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BatchWriteCommand, DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { POLICY_ID } from '../../functions/core/policy.ts';
import { openPolicyTable } from '../../functions/policy/table.ts';
import { DeliveryLog } from '../../local/delivery-log.ts';
import { parseLine } from '../../local/function-log.ts';
import { type LocalFerry, startLocalFerry } from '../../local/local-ferry.ts';

/** Rows that one invocation looks at before it looks how much time it has. */
const PAGE = 50;
const USERS = Array.from({ length: 3 * PAGE + 10 }, (_, number) => `user-${number}`);
/** Less than the walk wants to have left before it begins another page. */
const TIMEOUT_SECONDS = 45;

const walkedOn = z.object({ message: z.literal('policy walked on'), rows: z.number() });

/** What the functions log of the walk: rows that were looked at, each time that it was broken off. */
class WalkLog extends DeliveryLog {
  readonly steps: number[] = [];
  override read(line: string, at: number): void {
    const step = walkedOn.safeParse(parseLine(line)).data;
    if (step) this.steps.push(step.rows);
    super.read(line, at);
  }
}

let folder: string;
let ferry: LocalFerry;
let documents: DynamoDBDocumentClient;
const log = new WalkLog();
const started = new AsyncDisposableStack();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ferry-walk-'));
  await mkdir(join(folder, 'scratch'));
  ferry = started.use(
    await startLocalFerry({
      users: [],
      scratch: join(folder, 'scratch'),
      signal: AbortSignal.timeout(180_000),
      say: () => {},
      log,
      adapt: async (topology) => ({
        ...topology,
        functions: topology.functions.map((each) => ({
          ...each,
          timeoutSeconds: Math.min(each.timeoutSeconds, TIMEOUT_SECONDS),
        })),
      }),
    }),
  );
  documents = DynamoDBDocumentClient.from(ferry.services.dynamodb);
}, 240_000);

afterAll(async () => {
  await started.disposeAsync();
  await rm(folder, { recursive: true, force: true });
});

const item = async (userId: string) => {
  const Key = { userId };
  const { name: TableName } = ferry.settingsTable;
  return (await documents.send(new GetCommand({ TableName, Key, ConsistentRead: true }))).Item;
};

/** How many users have each state. */
async function states(): Promise<Readonly<Record<string, number>>> {
  const counts: Record<string, number> = {};
  for (const userId of USERS) {
    const state = String((await item(userId))?.status?.state);
    counts[state] = (counts[state] ?? 0) + 1;
  }
  return counts;
}

async function untilAll(state: string): Promise<void> {
  await vi.waitFor(async () => expect(await states()).toEqual({ [state]: USERS.length }), {
    timeout: 180_000,
    interval: 1000,
  });
}

it('a policy reaches every row by as many invocations as that takes, each called by the one before', async () => {
  const settings = {
    SSH_HOST_NAME: 'nas.example.org',
    SSH_USER: 'ada',
    SSH_PASSWORD: 'tr0ub4dor',
  };
  const spec = { v: 1, destinations: { nas: { type: 'ssh', settings } } };
  for (let at = 0; at < USERS.length; at += 25) {
    const rows = USERS.slice(at, at + 25).map((userId) => ({
      PutRequest: { Item: { userId, spec } },
    }));
    const RequestItems = { [ferry.settingsTable.name]: rows };
    await documents.send(new BatchWriteCommand({ RequestItems }));
  }
  await untilAll('valid');
  const policies = openPolicyTable(documents, ferry.settingsTable.name, ['s3', 'ssh'], () => {});

  log.steps.length = 0;
  expect(await policies.put({ v: 1, types: ['s3'] })).toMatchObject({ ok: true });
  await untilAll('invalid');
  await vi.waitFor(async () => expect(await item(POLICY_ID)).not.toHaveProperty('walk'), 30_000);
  expect(await item(POLICY_ID)).toMatchObject({ status: { state: 'valid' } });
  // As often as a page is full, and never back.
  expect(log.steps.length).toBeGreaterThanOrEqual(3);
  expect(log.steps).toEqual([...log.steps].sort((a, b) => a - b));
  expect(new Set(log.steps).size).toBe(log.steps.length);

  expect(await policies.put({ v: 1, types: ['ssh'] })).toMatchObject({ ok: true });
  await untilAll('valid');
}, 400_000);
