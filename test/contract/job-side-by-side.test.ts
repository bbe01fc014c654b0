import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FerryError } from '../../functions/core/errors.ts';
import { NO_LIMITS } from '../../functions/core/policy.ts';
import { type EmbeddedDynamoDb, startDynamoDb } from '../servers/embedded-dynamodb.ts';
import { drain, failAt, INVOCATION_MS, openWorld, PART, type World } from './job-world.ts';
import { sampleBytes } from './sample.ts';

let dynamo: EmbeddedDynamoDb;
let world: World;

beforeAll(async () => {
  dynamo = await startDynamoDb();
});
afterAll(() => dynamo.stop());
beforeEach(async () => {
  world = await openWorld(dynamo);
  world.staged.clear();
  // Real time alone passes, so that writes may overlap as they like.
  world.server.before = async () => {};
});

function stage(name: string, bytes: number) {
  world.staged.set(`${world.userId}/html/${name}`, sampleBytes(bytes, name));
}

/**
 * Follows how many writes are under way, and lets each of them take a while.
 * @param together the first ones wait until there are so many
 */
function watchWrites(together = 0) {
  const met = Promise.withResolvers<void>();
  const seen = { most: 0, mostBesideLarge: 0 };
  let now = 0;
  let large = 0;
  world.server.before = async (step, part) => {
    if (step !== 'write') return;
    const isLarge = (part?.length ?? 0) > 1000;
    now += 1;
    large += isLarge ? 1 : 0;
    seen.most = Math.max(seen.most, now);
    if (large > 0) seen.mostBesideLarge = Math.max(seen.mostBesideLarge, now - large);
    if (now >= together) met.resolve();
    await met.promise;
    await wait(5);
    now -= 1;
    large -= isLarge ? 1 : 0;
  };
  return seen;
}

describe('small archives', () => {
  it('go beside each other, each with its own bytes and its own receipt', async () => {
    for (let n = 0; n < 60; n++) stage(`${n}.tar`, n * 16);
    const seen = watchWrites(8);
    expect((await world.deliverMessage()).result).toEqual({ outcome: 'succeeded' });
    expect(seen.most).toBe(8);
    for (const [key, bytes] of world.staged) {
      const path = key.slice(world.userId.length + 1);
      expect(world.server.files.get(path)?.equals(bytes), path).toBe(true);
    }
    expect(await world.receipts()).toHaveLength(60);
    expect(await world.runs.job(world.job)).toMatchObject({ archives: 60 });
  });

  it('are shown as they arrive, without a note of it, unless there is no time to show them', async () => {
    stage('a.tar', 100);
    stage('b.tar', 100);
    const steps: string[] = [];
    world.server.before = async (step) => {
      steps.push(step);
    };
    await world.deliverMessage();
    expect(steps).toContain('finish');
    expect(steps).not.toContain('checkpoint');

    world.staged.clear();
    stage('c.tar', 100);
    world.queue.push({ ...world.job, slot: '2026-11-23T03:00:00Z' });
    world.server.before = async (step) => {
      steps.push(step);
      if (step === 'write') world.passTime(INVOCATION_MS - 1000);
    };
    steps.length = 0;
    expect((await world.deliverMessage()).result).toEqual({ outcome: 'continued' });
    expect(steps).toEqual(expect.arrayContaining(['write', 'checkpoint']));
    steps.length = 0;
    expect((await world.deliverMessage()).result).toEqual({ outcome: 'succeeded' });
    expect(steps).not.toContain('write');
  });

  it('wait for large ones, which have all memory for themselves, and large ones for them', async () => {
    for (const name of ['a', 'c', 'e', 'g']) stage(`${name}.tar`, 100);
    for (const name of ['b', 'd', 'f']) stage(`${name}.tar`, 5 * PART);
    const seen = watchWrites();
    await drain(world);
    expect(world.reports).toMatchObject([{ outcome: 'succeeded' }]);
    expect(seen.mostBesideLarge).toBe(0);
    for (const [key, bytes] of world.staged) {
      expect(world.server.files.get(key.slice(world.userId.length + 1))?.equals(bytes)).toBe(true);
    }
  });

  it('do not keep each other back: trouble with some is told, the others arrive', async () => {
    for (let n = 0; n < 20; n++) stage(`${n}.tar`, 10);
    const bad = new FerryError('name-refused', 'Not this one.', {
      retry: 'never',
      scope: 'archive',
    });
    failAt(world, 'begin', bad, 3);
    await drain(world);
    expect(world.server.files.size).toBe(17);
    const record = await world.runs.job(world.job);
    expect(record?.errors.map(({ code }) => code)).toEqual(Array(3).fill('name-refused'));
  });

  it('end together when the destination is of no use, and no more are begun', async () => {
    for (let n = 0; n < 40; n++) stage(`${n}.tar`, 10);
    const down = new FerryError('auth-refused', 'Wrong password.', { retry: 'never' });
    let begun = 0;
    world.server.before = async (step) => {
      if (step !== 'begin') return;
      begun += 1;
      await wait(5);
      throw down;
    };
    expect((await world.deliverMessage()).result).toEqual({ outcome: 'failed' });
    expect(begun).toBeLessThanOrEqual(8);
    expect(world.server.files.size).toBe(0);
  });

  it('that are under way count in the month, until one fails and leaves room', async () => {
    for (let n = 0; n < 6; n++) stage(`${n}.tar`, 100);
    world.policy = { ...NO_LIMITS, mostBytesPerMonth: 350 };
    watchWrites();
    const bad = new FerryError('name-refused', 'Not this one.', {
      retry: 'never',
      scope: 'archive',
    });
    failAt(world, 'finish', bad, 1);
    await drain(world);
    expect(world.server.files.size).toBe(3);
    const record = await world.runs.job(world.job);
    expect(record?.errors.map(({ code }) => code)).toEqual(['name-refused', 'policy']);
  });

  it('have room also where the destination turns out to take larger parts than it said', async () => {
    const part = { min: 1, max: 64 * PART, multiple: 1, most: 1000 };
    const capabilities = { part: { ...part, preferred: PART } };
    world.capabilities = capabilities;
    for (let n = 10; n < 30; n++) stage(`${n}.tar`, 100);
    stage('z.tar', 3 * PART);
    world.server.before = async (step) => {
      if (step === 'begin') capabilities.part = { ...part, preferred: 4 * PART };
    };
    expect((await world.deliverMessage()).result).toEqual({ outcome: 'succeeded' });
    for (const [key, bytes] of world.staged) {
      expect(world.server.files.get(key.slice(world.userId.length + 1))?.equals(bytes)).toBe(true);
    }
  });
});
