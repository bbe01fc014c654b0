import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type SettingsWorld, startSettingsWorld } from './settings-world.ts';
import {
  POLICY,
  POLICY_MISTAKES,
  SEALED_MISTAKES,
  SETTING_MISTAKES,
  SPEC_MISTAKES,
} from './wrong-rows.ts';

const MISTAKES = [...SPEC_MISTAKES, ...SETTING_MISTAKES, ...SEALED_MISTAKES, ...POLICY_MISTAKES];

const told = z.object({
  status: z.object({
    state: z.string(),
    problems: z.array(z.object({ path: z.string(), problem: z.string(), remedy: z.string() })),
  }),
});

let world: SettingsWorld;
let users = 0;

beforeAll(async () => {
  world = await startSettingsWorld();
  expect(await world.openPolicies().put(POLICY)).toMatchObject({ ok: true });
});
afterAll(() => world.stop());

/** Writes a row as people do, and reads what its status says once `settings-changed` has seen it. */
async function write(row: object) {
  users += 1;
  const userId = `user-${users}`;
  const { dynamo } = world;
  const TableName = dynamo.settingsTable;
  await dynamo.documents.send(new PutCommand({ TableName, Item: { userId, ...row } }));
  const { events, failed } = await world.change([userId]);
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
