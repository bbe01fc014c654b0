import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EmbeddedDynamoDb, startDynamoDb } from '../servers/embedded-dynamodb.ts';
import { openWorld, type World } from './job-world.ts';
import type { Death } from './mortal.ts';
import { digestOf } from './sample.ts';
import { sweepToTheEnd } from './sweep-world.ts';

/**
 * Kills the worker at every step it takes, before and after the step's effect, and lets the queue
 * deliver its message again.
 */
let dynamo: EmbeddedDynamoDb;
beforeAll(async () => {
  dynamo = await startDynamoDb();
});
afterAll(() => dynamo.stop());

/** Delivers messages until none is left, then looks at everything that a person could see. */
async function settle(world: World) {
  for (let deliveries = 0; world.queue.length > 0; deliveries++) {
    expect(deliveries).toBeLessThan(20);
    await world.deliverMessage();
  }
  const delivered = [...world.server.files].map(([path, bytes]) => [path, digestOf(bytes)]);
  const staged = [...world.staged].map(([key, bytes]) => [
    key.slice(world.userId.length + 1),
    digestOf(bytes),
  ]);
  expect(delivered.sort()).toEqual(staged.sort());
  expect(world.server.unfinished.size).toBe(0);
  expect(await world.runs.job(world.job)).toMatchObject({ state: 'succeeded', errors: [] });
  expect(world.reports.at(-1)).toMatchObject({ outcome: 'succeeded' });
  const items = await dynamo.itemsOf(world.userId);
  const kinds = items.map((item) => item.split('#')[0]).sort();
  return kinds;
}

/** Kills the worker at a step counted over all invocations; false when the job ended before it. */
async function killOnce(world: World, atStep: number, when: Death['when']): Promise<boolean> {
  let left = atStep;
  while (world.queue.length > 0) {
    const { result, steps } = await world.deliverMessage({ death: { atStep: left, when } });
    if (result === 'died') return true;
    left -= steps;
  }
  return false;
}

const AT_REST = ['JOB', 'LEASE', 'RECEIPT', 'RECEIPT', 'SHOWN', 'SHOWN', 'USAGE'];

describe('a job whose worker is killed', () => {
  it('needs several hops without any kill, and sends every byte once', async () => {
    const world = await openWorld(dynamo);
    let hops = 0;
    const before = world.server.before;
    let written = 0;
    world.server.before = async (step, part) => {
      if (step === 'write') written += part?.length ?? 0;
      await before(step, part);
    };
    while (world.queue.length > 0) {
      await world.deliverMessage();
      hops += 1;
    }
    expect(hops).toBeGreaterThan(1);
    expect(written).toBe([...world.staged.values()].reduce((sum, { length }) => sum + length, 0));
    expect(await settle(world)).toEqual(AT_REST);
  });

  it.each(['before the effect', 'after the effect'] as const)(
    'at any step, %s, ends with whole files, one receipt each and nothing left over',
    async (when) => {
      let survived = false;
      let kills = 0;
      for (let atStep = 1; !survived; atStep++) {
        const world = await openWorld(dynamo);
        survived = !(await killOnce(world, atStep, when));
        if (!survived) kills += 1;
        expect(await settle(world)).toEqual(AT_REST);
      }
      expect(kills).toBeGreaterThan(60);
    },
  );

  it.each(['before the effect', 'after the effect'] as const)(
    'at any step, %s, and whose message is gone for ever, is brought to its end by the sweep alone',
    async (when) => {
      let survived = false;
      let kills = 0;
      let untold = 0;
      for (let atStep = 1; !survived; atStep++) {
        const world = await openWorld(dynamo);
        survived = !(await killOnce(world, atStep, when));
        world.queue.length = 0;
        if (!(await world.runs.job(world.job))) {
          untold += 1;
          continue;
        }
        if (!survived) kills += 1;
        await sweepToTheEnd(dynamo, world);
        expect(await settle(world)).toEqual(AT_REST);
      }
      expect(kills).toBeGreaterThan(60);
      // A first worker looks for the record, takes the lease, looks again and writes the record.
      expect(untold).toBe(when === 'before the effect' ? 4 : 3);
    },
  );

  it.each(['before the effect', 'after the effect'] as const)(
    'at any step, %s, leaves nothing of an archive of one part that then leaves staging',
    async (when) => {
      for (let atStep = 1, survived = false; !survived; atStep++) {
        const world = await openWorld(dynamo);
        world.staged.delete(`${world.userId}/html/site.tar`);
        survived = !(await killOnce(world, atStep, when));
        world.staged.clear();
        world.queue.push({ ...world.job, slot: '2026-11-23T03:00:00.000Z' });
        for (; world.queue.length > 0; ) await world.deliverMessage();
        expect({ atStep, left: world.server.unfinished.size }).toEqual({ atStep, left: 0 });
        const kinds = (await dynamo.itemsOf(world.userId)).map((item) => item.split('#')[0]);
        expect(kinds).not.toContain('CHECKPOINT');
      }
    },
  );

  it('and killed again in its second invocation', async () => {
    for (let atStep = 1; atStep < 40; atStep += 3) {
      const world = await openWorld(dynamo);
      await world.deliverMessage({ death: { atStep: 30, when: 'after the effect' } });
      await world.deliverMessage({ death: { atStep, when: 'after the effect' } });
      await settle(world);
    }
  });

  it('sends no part again that the destination says it has, also past the last checkpoint', async () => {
    const world = await openWorld(dynamo);
    const sent: string[] = [];
    const { before: go } = world.server;
    let kill = true;
    world.server.before = async (step, part) => {
      // No save but the first is ever made: the checkpoint knows of no part.
      if (step === 'checkpoint' && kill && sent.length > 0) return new Promise(() => {});
      await go(step, part);
      if (step === 'write' && part) sent.push(`${part.offset}+${part.length}`);
    };
    await world.deliverMessage({ death: { atStep: 40, when: 'after the effect' } });
    const before = sent.length;
    expect(before).toBeGreaterThan(4);
    kill = false;
    await settle(world);
    // Those under way when it was killed may go twice.
    expect(sent.length).toBeLessThanOrEqual(14 + 3);
  });
});
