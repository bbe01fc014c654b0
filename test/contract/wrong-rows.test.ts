import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { Temporal } from 'temporal-polyfill';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { FerryEvent } from '../../functions/core/event.ts';
import { parseDestination } from '../../functions/platform/parse-destination.ts';
import { openPolicyTable } from '../../functions/policy/table.ts';
import { openSettingsTable } from '../../functions/settings/table.ts';
import { checkChanges } from '../../functions/settings-changed/check-changes.ts';
import { type EmbeddedDynamoDb, startDynamoDb } from '../servers/embedded-dynamodb.ts';
import { POLICY, POLICY_MISTAKES, SETTING_MISTAKES, SPEC_MISTAKES } from './wrong-rows.ts';

const TYPES = ['azure', 'dropbox', 's3', 'ssh', 'webdav'];
const MISTAKES = [...SPEC_MISTAKES, ...SETTING_MISTAKES, ...POLICY_MISTAKES];

const told = z.object({
  status: z.object({
    state: z.string(),
    problems: z.array(z.object({ path: z.string(), problem: z.string(), remedy: z.string() })),
  }),
});

let dynamo: EmbeddedDynamoDb;
let users = 0;

beforeAll(async () => {
  dynamo = await startDynamoDb();
  const policies = openPolicyTable(dynamo.documents, dynamo.settingsTable, TYPES, () => {});
  expect(await policies.put(POLICY)).toMatchObject({ ok: true });
});
afterAll(() => dynamo.stop());

/** Writes a row as people do, and reads what its status says once `settings-changed` has seen it. */
async function write(row: object) {
  users += 1;
  const userId = `user-${users}`;
  const TableName = dynamo.settingsTable;
  const events: FerryEvent[] = [];
  await dynamo.documents.send(new PutCommand({ TableName, Item: { userId, ...row } }));
  const policies = openPolicyTable(dynamo.documents, TableName, TYPES, () => {});
  const failed = await checkChanges(
    {
      policies,
      rows: openSettingsTable(
        dynamo.documents,
        TableName,
        parseDestination,
        Date.now,
        policies.read,
      ),
      spread: { minutes: 0, shards: 1 },
      metrics: { rowRefused() {} },
      raise: async (raised) => void events.push(...raised),
      log: { info() {}, warn() {} },
      now: () => Temporal.Now.instant(),
    },
    [userId],
  );
  expect(failed).toEqual(new Set());
  const { Item } = await dynamo.documents.send(new GetCommand({ TableName, Key: { userId } }));
  return { item: Item ?? {}, events, ...told.parse(Item).status };
}

describe('a wrong row', () => {
  it('comes in more than 60 kinds here', () => {
    expect(new Set(MISTAKES.map(({ mistake }) => mistake)).size).toBe(MISTAKES.length);
    expect(MISTAKES.length).toBeGreaterThan(60);
  });

  it.each(MISTAKES)('with $mistake is told at $path, with what to do', async (wrong) => {
    const { item, events, problems, state } = await write(wrong.row);
    expect(state).toBe('invalid');
    expect(problems).toContainEqual(
      expect.objectContaining({
        path: wrong.path,
        problem: expect.stringMatching(wrong.problem),
        remedy: expect.stringMatching(wrong.remedy),
      }),
    );
    // One mistake is told once, and not as several.
    expect(problems).toHaveLength(1);
    expect(item).not.toHaveProperty('dueAt');
    expect(events).toMatchObject([{ type: 'Settings refused', problems }]);
  });
});
