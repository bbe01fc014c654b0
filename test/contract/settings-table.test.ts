import { DeleteCommand, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { NO_LIMITS } from '../../functions/core/policy.ts';
import type { Verdict } from '../../functions/core/user.ts';
import type { LastRun } from '../../functions/settings/last-run.ts';
import { openSettingsTable } from '../../functions/settings/table.ts';
import { type EmbeddedDynamoDb, startDynamoDb } from '../servers/embedded-dynamodb.ts';
import { parseAnything } from '../unit/memory-rows.ts';

let dynamo: EmbeddedDynamoDb;
let table: ReturnType<typeof openSettingsTable<string>>;
let userId: string;
let users = 0;

beforeAll(async () => {
  dynamo = await startDynamoDb();
  table = openSettingsTable(
    dynamo.documents,
    dynamo.settingsTable,
    parseAnything,
    async () => NO_LIMITS,
  );
});
afterAll(() => dynamo.stop());
beforeEach(() => {
  users += 1;
  userId = `user-${users}`;
});

const spec = { v: 1, destinations: { nas: { type: 'ssh', settings: { SSH_PORT: 22 } } } };
const TONIGHT = { shard: 'due#001', at: '2026-11-23T00:00:00Z' };
const TOMORROW = { shard: 'due#001', at: '2026-11-24T00:00:00Z' };
const planned: Verdict = { specHash: 'abc', problems: [], due: TONIGHT };
const run: LastRun = { slot: TONIGHT.at, outcome: 'succeeded', at: '2026-11-23T00:01:00.000Z' };

const TableName = 'settings';
const put = (rest: object = {}) =>
  dynamo.documents.send(new PutCommand({ TableName, Item: { userId, spec, ...rest } }));
const remove = () => dynamo.documents.send(new DeleteCommand({ TableName, Key: { userId } }));
const item = async () =>
  (await dynamo.documents.send(new GetCommand({ TableName, Key: { userId } }))).Item;

async function dueUsers(shard: string, until: string): Promise<string[]> {
  const found: string[] = [];
  for await (const page of table.due(shard, until)) found.push(...page.map((due) => due.userId));
  return found;
}

describe('a verdict', () => {
  it('is written into a row that a person has just put, and changes nothing of theirs', async () => {
    await put();
    expect(await table.save(userId, undefined, planned)).toBe(true);
    expect(await item()).toEqual({
      userId,
      spec,
      dueShard: TONIGHT.shard,
      dueAt: TONIGHT.at,
      status: {
        v: 1,
        state: 'valid',
        problems: [],
        checkedAt: expect.stringMatching(/^\d{4}-.*Z$/),
        specHash: 'abc',
        nextRun: TONIGHT.at,
      },
    });
    expect(await table.read(userId)).toMatchObject({ checkedHash: 'abc', due: TONIGHT });
  });

  it.each([['a text'], [7], [{ v: 0, destinations: 'none' }]])(
    'is written over a status that somebody made %j',
    async (status) => {
      await put({ status });
      expect(await table.save(userId, undefined, planned)).toBe(true);
      await table.recordRun(userId, 'nas', run);
      expect(await item()).toMatchObject({
        status: { v: 1, state: 'valid', destinations: { nas: { lastRun: run } } },
      });
    },
  );

  it('that a row is wrong takes it out of the index and says why', async () => {
    await put();
    await table.save(userId, undefined, planned);
    const problems = [{ path: 'spec.v', problem: 'This is missing.', remedy: 'Give 1.' }];
    expect(await table.save(userId, TONIGHT, { specHash: 'def', problems })).toBe(true);
    const row = await item();
    expect(row).toMatchObject({ status: { state: 'invalid', problems, specHash: 'def' } });
    expect(row).not.toHaveProperty('dueAt');
    expect(row).not.toHaveProperty('dueShard');
    expect(row).not.toHaveProperty('status.nextRun');
    expect(await dueUsers(TONIGHT.shard, TONIGHT.at)).not.toContain(userId);
  });

  it('is not written once the user is due at another time than was seen', async () => {
    await put();
    await table.save(userId, undefined, planned);
    const late = { ...planned, due: TOMORROW };
    expect(await table.save(userId, undefined, late)).toBe(false);
    expect(await table.save(userId, TOMORROW, late)).toBe(false);
    expect(await table.save(userId, TONIGHT, late)).toBe(true);
    expect(await table.read(userId)).toMatchObject({ due: TOMORROW });
  });

  it('does not bring back a row that was deleted', async () => {
    await put();
    await table.save(userId, undefined, planned);
    await remove();
    expect(await table.save(userId, undefined, planned)).toBe(false);
    expect(await table.save(userId, TONIGHT, planned)).toBe(false);
    await table.recordRun(userId, 'nas', run);
    expect(await item()).toBeUndefined();
    expect(await table.read(userId)).toBeUndefined();
  });
});

describe('a run', () => {
  it('is noted in a row that has no status any more', async () => {
    await put();
    await table.recordRun(userId, 'nas', run);
    expect(await item()).toMatchObject({
      spec,
      status: { destinations: { nas: { lastRun: run, lastGood: run.at } } },
    });
  });

  it('that failed keeps the last good one', async () => {
    await put();
    await table.recordRun(userId, 'nas', run);
    const failed: LastRun = {
      slot: TOMORROW.at,
      outcome: 'failed',
      at: '2026-11-24T00:01:00.000Z',
      code: 'auth-refused',
      message: 'The server refused the password.',
    };
    await table.recordRun(userId, 'nas', failed);
    expect(await item()).toMatchObject({
      status: { destinations: { nas: { lastRun: failed, lastGood: run.at } } },
    });
  });

  describe('of an earlier slot that ends after a later one', () => {
    const told = async () => (await item())?.status.destinations.nas;
    const later: LastRun = {
      slot: TOMORROW.at,
      outcome: 'succeeded',
      at: '2026-11-24T00:01:00.000Z',
    };
    const message = 'It was lost again and again.';

    it.each(['succeeded', 'failed', 'skipped'] as const)(
      'leaves what that one told, and counts as good where it %s',
      async (outcome) => {
        await put();
        await table.recordRun(userId, 'nas', later);
        const at = '2026-11-24T02:00:00.000Z';
        await table.recordRun(userId, 'nas', { ...run, outcome, at, message });
        const lastGood = outcome === 'succeeded' ? at : later.at;
        expect(await told()).toEqual({ lastRun: later, lastGood });
      },
    );

    it('leaves the reason why that one failed', async () => {
      await put();
      const failed: LastRun = {
        ...later,
        outcome: 'failed',
        code: 'no-space',
        message: 'It is full.',
      };
      await table.recordRun(userId, 'nas', failed);
      await table.recordRun(userId, 'nas', run);
      expect(await told()).toEqual({ lastRun: failed, lastGood: run.at });
    });

    it('is told where that one was skipped, which may have been for this one', async () => {
      await put();
      const skipped: LastRun = { ...later, outcome: 'skipped', message: 'It was still under way.' };
      await table.recordRun(userId, 'nas', skipped);
      const failed: LastRun = { ...run, outcome: 'failed', code: 'worker-lost', message };
      await table.recordRun(userId, 'nas', failed);
      expect(await told()).toEqual({ lastRun: failed });
    });
  });

  it('that ends by a clock which is behind takes no time off the last good one', async () => {
    await put();
    await table.recordRun(userId, 'nas', run);
    const behind = { ...run, slot: TOMORROW.at, at: '2026-11-23T00:00:59.000Z' };
    await table.recordRun(userId, 'nas', behind);
    const nas = { lastRun: behind, lastGood: run.at };
    expect(await item()).toMatchObject({ status: { destinations: { nas } } });
  });

  it.each([7, 'a text', { slot: 7 }, { slot: ['9999'] }])(
    'is noted over a last run that somebody made %j',
    async (lastRun) => {
      await put({ status: { destinations: { nas: { lastRun, lastGood: 7 } } } });
      await table.recordRun(userId, 'nas', run);
      const nas = { lastRun: run, lastGood: run.at };
      expect(await item()).toMatchObject({ status: { destinations: { nas } } });
    },
  );

  it('and a verdict and other runs at the same time all stay', async () => {
    await put();
    const names = ['nas', 'attic', 'cold-store', 'offsite'];
    await Promise.all([
      table.save(userId, undefined, planned),
      ...names.map((name) => table.recordRun(userId, name, run)),
    ]);
    expect(await item()).toMatchObject({
      dueAt: TONIGHT.at,
      status: {
        state: 'valid',
        specHash: 'abc',
        destinations: Object.fromEntries(names.map((name) => [name, { lastRun: run }])),
      },
    });
  });
});

describe('the due index', () => {
  it('lists who is due in a shard, longest first, page by page', async () => {
    const shard = 'due#200';
    const minutes = Array.from({ length: 120 }, (_, n) => n);
    const at = (n: number) => new Date(n * 60_000).toISOString().replace('.000Z', 'Z');
    const ids = minutes.map((n) => `paged-${n}`);
    for (const n of minutes) {
      userId = `paged-${119 - n}`;
      await put({ dueShard: shard, dueAt: at(119 - n) });
    }
    const pages: number[] = [];
    for await (const page of table.due(shard, at(118))) pages.push(page.length);
    expect(pages.length).toBeGreaterThan(1);
    expect(Math.max(...pages)).toBeLessThan(100);
    expect(await dueUsers(shard, at(118))).toEqual(ids.slice(0, 119));
    expect(await dueUsers('due#201', at(118))).toEqual([]);
  });
});
