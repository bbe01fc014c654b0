import { GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Job } from '../../functions/core/job.ts';
import { jobId } from '../../functions/core/job.ts';
import { NO_LIMITS, type Policy } from '../../functions/core/policy.ts';
import type { Destination } from '../../functions/destinations/contract.ts';
import { keptSettingsKey } from '../../functions/runs/keys.ts';
import { openRunsTable } from '../../functions/runs/runs-table.ts';
import type { ParseDestination } from '../../functions/settings/row.ts';
import { openSettingsTable } from '../../functions/settings/table.ts';
import { readJobSettings } from '../../functions/transfer/job-settings.ts';
import { type EmbeddedDynamoDb, startDynamoDb } from '../servers/embedded-dynamodb.ts';
import { failure } from './failure.ts';
import { openMemoryDestination, openMemoryServer } from './memory-destination.ts';

interface Place {
  readonly readable: readonly string[];
  open(tell: (host: string) => void): Promise<Destination>;
}

/** One setting, the host; the operator may forbid the type. */
const parse: ParseDestination<Place> = (type, { HOST: host }, { types }) => {
  if (typeof host !== 'string' || (types && !types.includes(type))) {
    const problem = { path: 'type', problem: 'This is not allowed.', remedy: 'Ask the operator.' };
    return { ok: false, problems: [problem] };
  }
  const open: Place['open'] = async (tell) => {
    tell(host);
    return openMemoryDestination(openMemoryServer(), {});
  };
  return { ok: true, value: { readable: [], open } };
};

let dynamo: EmbeddedDynamoDb;
let policy: Policy;
let userId: string;
let users = 0;
let opened: string[];
let now: () => number;

beforeAll(async () => {
  dynamo = await startDynamoDb();
});
afterAll(() => dynamo.stop());
beforeEach(async () => {
  users += 1;
  userId = `ada-${users}`;
  policy = NO_LIMITS;
  opened = [];
  now = Date.now;
  await put({ nas: nas('old.example.com'), box: nas('box.example.com') });
  await check();
});

const nas = (HOST: string, rest: object = {}) => ({ type: 'memory', settings: { HOST }, ...rest });
const put = (destinations: object, rest: object = {}) =>
  dynamo.documents.send(
    new PutCommand({
      TableName: dynamo.settingsTable,
      Item: { userId, spec: { v: 1, destinations, ...rest } },
    }),
  );
const rows = () =>
  openSettingsTable(dynamo.documents, dynamo.settingsTable, parse, async () => policy);
/** Says in the row that it was looked at as it stands. */
const check = async () => {
  const row = await rows().read(userId);
  await rows().save(userId, undefined, { specHash: row?.specHash, problems: [] });
};
const job = (slot = '2026-11-22T03:00:00.000Z'): Job => ({
  ...{ userId, slot, destination: 'nas', hop: 0 },
});
const runs = () => openRunsTable(dynamo.documents, dynamo.runsTable, now);
const reader = () =>
  readJobSettings(
    rows(),
    runs(),
    () => (host) => void opened.push(host),
    async () => policy,
  );
const read = (goesOn: boolean, of = job(), fence = 1) =>
  reader().read(of, {
    lease: { ...of, jobId: jobId(of), owner: `worker-${fence}`, fence, until: 0 },
    goesOn,
  });
/** Where a run delivers to in this invocation. */
const place = async (goesOn: boolean, of = job()) => {
  const found = await read(goesOn, of);
  if (!found?.ok) return found?.problems;
  await found.value.open();
  return opened.at(-1);
};

it('a run goes on with the settings that it began with, and the next one has the new ones', async () => {
  expect(await place(false)).toBe('old.example.com');
  await put({ nas: nas('new.example.com', { verify: 'readback' }) }, { backUp: ['mysql'] });
  // Nobody has looked at the new ones yet, and it does not wait for that.
  expect(await place(true)).toBe('old.example.com');
  await check();
  expect(await read(true)).toMatchObject({ value: { verify: 'size', backUp: 'everything' } });
  expect(await place(false, job('2026-11-23T03:00:00.000Z'))).toBe('new.example.com');
});

it('a run goes on while its row is being edited and cannot be read', async () => {
  expect(await place(false)).toBe('old.example.com');
  await put({ nas: { ...nas('new.example.com'), verify: 'perhaps' } });
  expect(await place(true)).toBe('old.example.com');
  expect(await reader().isActive(job())).toBe(true);
  await check();
  expect(await read(false, job('2026-11-23T03:00:00.000Z'))).toMatchObject({ ok: false });
});

it('a run ends when its user or destination is removed or switched off', async () => {
  expect(await place(false)).toBe('old.example.com');
  for (const [destinations, rest] of [
    [{ nas: nas('old.example.com', { enabled: false }) }, {}],
    [{ box: nas('box.example.com') }, {}],
    [{ nas: nas('old.example.com') }, { enabled: false }],
    // Whatever else is wrong with the row.
    [{ nas: nas('old.example.com', { enabled: false }), box: { type: 'memory' } }, {}],
    [{ box: nas('box.example.com', { verify: 'perhaps' }) }, {}],
    [{ nas: nas('old.example.com') }, { enabled: false, schedule: 'never' }],
  ] as const) {
    await put(destinations, rest);
    expect(await read(true)).toBeUndefined();
    expect(await reader().isActive(job())).toBe(false);
  }
});

it('a run is held against what the operator allows now', async () => {
  expect(await place(false)).toBe('old.example.com');
  policy = { ...NO_LIMITS, types: ['ssh'] };
  expect(await read(true)).toMatchObject({ ok: false });
});

it('a run whose worker died before its settings were kept takes those of the row', async () => {
  expect(await place(true)).toBe('old.example.com');
  await dynamo.documents.send(
    new UpdateCommand({
      TableName: dynamo.settingsTable,
      Key: { userId },
      UpdateExpression: 'SET spec.destinations.nas.settings.HOST = :host',
      ExpressionAttributeValues: { ':host': 'new.example.com' },
    }),
  );
  expect(await place(true)).toBe('old.example.com');
});

it('a run that is begun again, out of the dead letters, takes those of the row', async () => {
  expect(await place(false)).toBe('old.example.com');
  await put({ nas: nas('new.example.com') });
  await check();
  expect(await place(false)).toBe('new.example.com');
  expect(await place(true)).toBe('new.example.com');
});

it('a worker that has lost its lease keeps nothing', async () => {
  await read(false, job(), 2);
  expect(await failure(read(false, job(), 1))).toMatchObject({ code: 'lease-lost' });
});

it('what is kept has the settings of its destination alone', async () => {
  await read(false);
  expect(await runs().keptSettings(job())).toEqual({
    userId,
    spec: { v: 1, destinations: { nas: nas('old.example.com') } },
  });
});

it('what is kept is there for as long as the run goes on, however many weeks that takes', async () => {
  const DAY_MS = 24 * 3600_000;
  const begun = Date.now();
  await read(false);
  for (let day = 10; day <= 60; day += 10) {
    now = () => begun + day * DAY_MS;
    const { Item } = await dynamo.documents.send(
      new GetCommand({ TableName: dynamo.runsTable, Key: keptSettingsKey(job()) }),
    );
    expect(Item?.expiresAt * 1000).toBeGreaterThan(now());
    await read(true);
  }
});
