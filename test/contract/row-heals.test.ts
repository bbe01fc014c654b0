import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type JobState, startRecord } from '../../functions/core/job-record.ts';
import { NO_LIMITS } from '../../functions/core/policy.ts';
import { openRunsTable } from '../../functions/runs/runs-table.ts';
import { openSettingsTable } from '../../functions/settings/table.ts';
import { type SettingsWorld, startSettingsWorld } from './settings-world.ts';

/** What the pipeline wrote into a row, after somebody put the row whole and without it. */
let world: SettingsWorld;
let userId: string;
let users = 0;

beforeAll(async () => {
  world = await startSettingsWorld();
});
afterAll(() => world.stop());
beforeEach(() => {
  users += 1;
  userId = `ada-${users}`;
});

const SSH = { SSH_HOST_NAME: 'nas.example.org', SSH_USER: 'ada', SSH_PASSWORD: 'tr0ub4dor' };
const nas = { type: 'ssh', settings: SSH };
const spec = { v: 1, destinations: { nas, attic: nas } };

const put = (rest: object = {}) =>
  world.dynamo.documents.send(
    new PutCommand({ TableName: world.dynamo.settingsTable, Item: { userId, spec, ...rest } }),
  );
const row = async () => {
  const { documents, settingsTable: TableName } = world.dynamo;
  return (await documents.send(new GetCommand({ TableName, Key: { userId } }))).Item;
};
const check = () => world.change([userId]);

/** A run as `transfer` ends it: in the record, and in the row where that is told. */
async function run(hour: number, destination: string, state: JobState, isTold = true) {
  const slot = `2026-11-25T0${hour}:00:00Z`;
  const at = `2026-11-25T0${hour}:05:00.000Z`;
  const job = { userId, slot, destination, hop: 0 };
  const message = `It went wrong at ${hour}.`;
  const errors = state === 'failed' ? [{ code: 'auth-refused', message } as const] : [];
  const { documents, runsTable, settingsTable } = world.dynamo;
  const record = startRecord(job, undefined, hour, Date.parse(slot));
  await openRunsTable(documents, runsTable).saveJob(job, {
    ...record,
    ...{ state, errors },
    ...(state === 'running' ? {} : { endedAt: at }),
  });
  if (state === 'running' || !isTold) return;
  const rows = openSettingsTable(
    documents,
    settingsTable,
    () => ({ ok: true, value: '' }),
    async () => NO_LIMITS,
  );
  const told = state === 'failed' ? { message, code: 'auth-refused' } : {};
  await rows.recordRun(userId, destination, { slot, outcome: state, at, ...told });
}

describe('a row that is put whole, without what the pipeline wrote', () => {
  it('has its status, next run, last runs and last good ones again', async () => {
    await put();
    await check();
    await run(1, 'nas', 'succeeded');
    await run(2, 'attic', 'succeeded');
    await run(3, 'nas', 'failed');
    await run(4, 'nas', 'skipped');
    await run(5, 'nas', 'running');
    const before = await row();
    expect(before?.status.destinations).toMatchObject({
      nas: { lastGood: '2026-11-25T01:05:00.000Z', lastRun: { outcome: 'skipped' } },
      attic: { lastGood: '2026-11-25T02:05:00.000Z' },
    });
    // With the sealed secrets, as an editor would save the row; then with the password typed anew.
    for (const again of [before?.spec, spec]) {
      await put({ spec: again });
      await check();
      const healed = await row();
      expect(healed?.status.destinations).toEqual(before?.status.destinations);
      expect(healed).toMatchObject({
        dueAt: before?.dueAt,
        dueShard: before?.dueShard,
        status: { state: 'valid', problems: [], nextRun: before?.status.nextRun },
      });
    }
  });

  it('is told what a run said that failed', async () => {
    await put();
    await check();
    await run(3, 'nas', 'failed');
    const before = await row();
    await put({ spec: before?.spec });
    await check();
    expect((await row())?.status.destinations).toEqual(before?.status.destinations);
  });

  it('keeps what a run tells in between', async () => {
    await put();
    await check();
    await run(1, 'nas', 'succeeded', false);
    await put();
    await run(2, 'nas', 'failed');
    await check();
    expect((await row())?.status.destinations.nas).toMatchObject({
      lastGood: '2026-11-25T01:05:00.000Z',
      lastRun: { slot: '2026-11-25T02:00:00Z', outcome: 'failed' },
    });
  });

  it('is told nothing of destinations that it has no more', async () => {
    await put();
    await check();
    await run(1, 'gone', 'succeeded', false);
    await put();
    await check();
    expect((await row())?.status.destinations?.gone).toBeUndefined();
  });

  it('comes to rest', async () => {
    await put();
    await run(1, 'nas', 'succeeded', false);
    await check();
    const settled = await row();
    await check();
    await check();
    expect(await row()).toEqual(settled);
  });
});
