import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FerryError } from '../../functions/core/errors.ts';
import { type EmbeddedDynamoDb, startDynamoDb } from '../servers/embedded-dynamodb.ts';
import { drain, failAt, openWorld, PART, type World } from './job-world.ts';
import { sampleBytes } from './sample.ts';

let dynamo: EmbeddedDynamoDb;
beforeAll(async () => {
  dynamo = await startDynamoDb();
});
afterAll(() => dynamo.stop());

/** Does something at one write of a part; gives how many there were afterwards. */
function countWritesAfter(world: World, at: number, act: () => Promise<void>): () => number {
  const { before: go } = world.server;
  let writes = 0;
  world.server.before = async (step, part) => {
    if (step === 'write') {
      writes += 1;
      if (writes === at) await act();
    }
    await go(step, part);
  };
  return () => Math.max(0, writes - at);
}

it('a run for a user who is removed or switched off in mid-transfer is stopped and taken back', async () => {
  const world = await openWorld(dynamo);
  const key = `${world.userId}/html/site.tar`;
  world.staged.set(key, sampleBytes(60 * PART, 'long'));
  const writesAfter = countWritesAfter(world, 30, async () => {
    world.settings = { ...world.settings, read: async () => undefined };
  });
  await drain(world);
  // It is looked at every ten seconds, and a part takes one and a half.
  expect(writesAfter()).toBeLessThan(12);
  expect(world.server.files.has('html/site.tar')).toBe(false);
  expect(world.server.unfinished.size).toBe(0);
  expect(world.reports).toMatchObject([
    { outcome: 'skipped', message: expect.stringContaining('switched off') },
  ]);
});

it('a run that is cancelled in mid-transfer is stopped at once, taken back, and ends as skipped', async () => {
  const world = await openWorld(dynamo);
  world.staged.set(`${world.userId}/html/site.tar`, sampleBytes(60 * PART, 'long'));
  const writesAfter = countWritesAfter(world, 10, () => world.runs.cancel(world.job));
  const { before: go } = world.server;
  world.server.before = async (step, part) => {
    await go(step, part);
    // The runs table answers by the clock of this machine.
    if (step === 'write') await setTimeout(20);
  };
  // In the same invocation: nobody waits for another one.
  const { result } = await world.deliverMessage({ invocationMs: 400_000 });
  expect(result).toEqual({ outcome: 'skipped' });
  expect(writesAfter()).toBeLessThan(12);
  expect(world.queue).toEqual([]);
  expect(world.server.files.has('html/site.tar')).toBe(false);
  expect(world.server.unfinished.size).toBe(0);
  expect(await dynamo.itemsOf(world.userId)).not.toContainEqual(
    expect.stringMatching(/^CHECKPOINT/),
  );
  expect(world.reports).toMatchObject([
    { outcome: 'skipped', message: expect.stringContaining('was cancelled') },
  ]);
});

it('a run that is cancelled between two hops takes back what the first one sent', async () => {
  const world = await openWorld(dynamo);
  world.staged.set(`${world.userId}/html/site.tar`, sampleBytes(60 * PART, 'long'));
  expect(await world.deliverMessage()).toMatchObject({ result: { outcome: 'continued' } });
  expect(world.server.unfinished.size).toBe(1);
  await world.runs.cancel(world.job);
  expect(await world.deliverMessage()).toMatchObject({ result: { outcome: 'skipped' } });
  expect(world.server.unfinished.size).toBe(0);
  expect(world.server.files.size).toBe(0);
  expect(await world.runs.job(world.job)).toMatchObject({
    state: 'skipped',
    reason: expect.stringContaining('was cancelled'),
  });
});

it('a run that is cancelled before it began sends nothing, and the next run is not touched', async () => {
  const world = await openWorld(dynamo);
  await world.runs.cancel(world.job);
  expect(await world.deliverMessage()).toMatchObject({ result: { outcome: 'skipped' } });
  expect(world.server.files.size).toBe(0);
  world.queue.push({ ...world.job, slot: '2026-11-23T03:00:00.000Z' });
  await drain(world);
  expect(world.server.files.size).toBe(2);
});

it('a run that is cancelled while it delivers many small archives stops among them', async () => {
  const world = await openWorld(dynamo);
  world.staged.clear();
  for (let at = 0; at < 40; at++) {
    world.staged.set(`${world.userId}/html/${at}.tar`, sampleBytes(10, String(at)));
  }
  const { before: go } = world.server;
  world.server.before = async (step, part) => {
    if (world.server.files.size === 5) await world.runs.cancel(world.job);
    await go(step, part);
  };
  const { result } = await world.deliverMessage({ invocationMs: 400_000 });
  expect(result).toEqual({ outcome: 'skipped' });
  expect(world.server.files.size).toBeLessThan(25);
  expect(await world.runs.job(world.job)).toMatchObject({ archives: world.server.files.size });
});

it('a run that is cancelled while its destination is down ends with the next message', async () => {
  const world = await openWorld(dynamo);
  failAt(world, 'begin', new FerryError('unreachable', 'Nobody.', { retry: 'later' }));
  expect(await world.deliverMessage()).toMatchObject({ result: { outcome: 'retrying' } });
  await world.runs.cancel(world.job);
  expect(await world.deliverMessage()).toMatchObject({ result: { outcome: 'skipped' } });
});

it('a run for a user who was removed or switched off meanwhile is not sent', async () => {
  const world = await openWorld(dynamo);
  world.settings = { ...world.settings, read: async () => undefined };
  expect(await world.deliverMessage()).toMatchObject({ result: { outcome: 'skipped' } });
  expect(world.server.files.size).toBe(0);
});
