import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { Temporal } from 'temporal-polyfill';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { planNext } from '../../functions/core/plan.ts';
import { NO_LIMITS } from '../../functions/core/policy.ts';
import { shardOf } from '../../functions/core/spread.ts';
import { enqueueDue } from '../../functions/enqueue-due/enqueue-due.ts';
import { openJobQueue } from '../../functions/queue/job-queue.ts';
import { readMessage } from '../../functions/queue/message.ts';
import { openSettingsTable } from '../../functions/settings/table.ts';
import { type EmbeddedDynamoDb, startDynamoDb } from '../servers/embedded-dynamodb.ts';
import { type EmbeddedSqs, startSqs } from '../servers/embedded-sqs.ts';
import { parseAnything } from '../unit/memory-rows.ts';
import { type Death, mortal } from './mortal.ts';

const SLOT = '2026-11-22T03:00:00Z';
const NOW = Temporal.Instant.from('2026-11-22T03:00:30Z');
const SPREAD = { minutes: 0, shards: 2 };
const AFTER_NEXT = Temporal.Instant.from('2026-11-23T03:00:30Z');

let dynamo: EmbeddedDynamoDb;
let sqs: EmbeddedSqs;
let url: string;
let table: ReturnType<typeof openSettingsTable<string>>;
let worlds = 0;

beforeAll(async () => {
  [dynamo, sqs] = await Promise.all([startDynamoDb(), startSqs()]);
  url = await sqs.createQueue('jobs');
  table = openSettingsTable(
    dynamo.documents,
    dynamo.settingsTable,
    parseAnything,
    async () => NO_LIMITS,
  );
});
afterAll(() => Promise.all([dynamo.stop(), sqs.stop()]));

/** Users who are due, two destinations each; one of them has an invalid row, one is paused. */
async function openWorld() {
  worlds += 1;
  const names = ['ada', 'bob', 'cyd', 'invalid', 'paused'] as const;
  const ids = Object.fromEntries(names.map((name) => [name, `${name}-${worlds}`]));
  const destination = { type: 'ssh', settings: {} };
  for (const [name, userId] of Object.entries(ids)) {
    const spec = {
      v: name === 'invalid' ? 7 : 1,
      enabled: name !== 'paused',
      schedule: { cron: '0 3 * * *' },
      destinations: { nas: destination, attic: destination },
    };
    const due = { dueShard: shardOf(userId, SPREAD.shards), dueAt: SLOT };
    await dynamo.documents.send(
      new PutCommand({ TableName: dynamo.settingsTable, Item: { userId, spec, ...due } }),
    );
  }
  const running = names.slice(0, 3).map((name) => `${name}-${worlds}`);
  const expected = running.flatMap((userId) => [`${userId} attic`, `${userId} nas`]);
  return { all: Object.values(ids), running, expected };
}

/** One tick in a process that may be killed. */
async function tick(death?: Death) {
  const process = mortal(death);
  const done = enqueueDue(
    {
      rows: process.wrap(table, 'read', 'save'),
      queue: process.wrap(openJobQueue(sqs.client, url), 'send'),
      spread: SPREAD,
      metrics: { tickEnded: () => {} },
      log: { info: () => {}, warn: () => {} },
    },
    NOW,
    { now: () => NOW.epochMilliseconds, remaining: () => 55_000 },
  ).then(() => 'ended' as const);
  return { result: await Promise.race([done, process.died]), steps: process.steps() };
}

async function sent(): Promise<string[]> {
  const messages = await sqs.drain(url);
  return messages.map(({ Body = '' }) => {
    const { userId, slot, destination, hop } = readMessage(Body);
    expect({ slot, hop }).toEqual({ slot: SLOT, hop: 0 });
    return `${userId} ${destination}`;
  });
}

async function expectMovedOn({ all, running }: Awaited<ReturnType<typeof openWorld>>) {
  for (const userId of all) {
    const row = await table.read(userId);
    const next = row?.user.ok ? planNext(row.user.value, NOW, SPREAD) : undefined;
    expect(row?.due).toEqual(running.includes(userId) ? next : undefined);
    // Whether settings are right is for others to say, so that they still look.
    expect(row?.checkedHash).toBeUndefined();
    if (row?.due) expect(row.due.at <= AFTER_NEXT.toString()).toBe(true);
  }
}

describe('a tick on real tables and queues', () => {
  it('sends each job once and moves everyone on', async () => {
    const world = await openWorld();
    expect((await tick()).result).toBe('ended');
    expect((await sent()).sort()).toEqual(world.expected);
    await expectMovedOn(world);
    await tick();
    expect(await sent()).toEqual([]);
  });

  it('does no harm when two run at once', async () => {
    const world = await openWorld();
    await Promise.all([tick(), tick()]);
    const messages = await sent();
    expect([...new Set(messages)].sort()).toEqual(world.expected);
    expect(messages.length).toBeLessThanOrEqual(2 * world.expected.length);
    await expectMovedOn(world);
  });

  it('killed before or after any of its steps, loses no job and sends none a third time', async () => {
    await openWorld();
    const { steps } = await tick();
    await sent();
    expect(steps).toBeGreaterThan(10);
    let duplicates = 0;
    for (let atStep = 1; atStep <= steps; atStep++) {
      for (const when of ['before the effect', 'after the effect'] as const) {
        const world = await openWorld();
        expect((await tick({ atStep, when })).result).toBe('died');
        expect((await tick()).result).toBe('ended');
        const messages = await sent();
        expect([...new Set(messages)].sort()).toEqual(world.expected);
        const counts = world.expected.map((name) => messages.filter((m) => m === name).length);
        expect(Math.max(...counts)).toBeLessThanOrEqual(2);
        duplicates += messages.length - world.expected.length;
        await expectMovedOn(world);
      }
    }
    expect(duplicates).toBeGreaterThan(0);
  });
});
