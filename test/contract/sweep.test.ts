import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FerryError } from '../../functions/core/errors.ts';
import { MOST_SWEEPS } from '../../functions/core/overdue.ts';
import { openJobQueue } from '../../functions/queue/job-queue.ts';
import { readMessage } from '../../functions/queue/message.ts';
import { openRunsTable } from '../../functions/runs/runs-table.ts';
import { openSweepIndex } from '../../functions/runs/sweep-index.ts';
import { sweepJobs } from '../../functions/sweep/sweep.ts';
import { type EmbeddedDynamoDb, startDynamoDb } from '../servers/embedded-dynamodb.ts';
import { startSqs } from '../servers/embedded-sqs.ts';
import {
  drain,
  INVOCATION_MS,
  MAX_RECEIVE_COUNT,
  openWorld,
  PART,
  type World,
} from './job-world.ts';
import { digestOf, sampleBytes } from './sample.ts';
import { expectations, NOTHING, SWEEP_INTERVAL_MS, sweepOnce } from './sweep-world.ts';

const MINUTE = 60_000;
/** A worker in these worlds has its lease for so long, and clocks may differ by a minute. */
const LEASE_MS = INVOCATION_MS + MINUTE;
const ONE = { swept: 1, givenUp: 0, left: 0 };

let dynamo: EmbeddedDynamoDb;
beforeAll(async () => {
  dynamo = await startDynamoDb();
});
afterAll(() => dynamo.stop());

const sweep = async (world: World) => (await sweepOnce(dynamo, world)).result;
const stateOf = async (world: World) => (await world.runs.job(world.job))?.state;

/** Counts the parts that arrive, those of a killed worker, too. */
function countParts(world: World): () => number {
  const { before: go } = world.server;
  let parts = 0;
  world.server.before = async (step, part) => {
    await go(step, part);
    if (step === 'write') parts += 1;
  };
  return () => parts;
}

/** A worker takes the first message, is killed in its middle, and the message is gone for ever. */
async function killAndLose(world: World, atStep = 30): Promise<void> {
  const { result } = await world.deliverMessage({ death: { atStep, when: 'after the effect' } });
  expect(result).toBe('died');
  world.queue.length = 0;
}

/** The first hop ends, and its continuation is lost. */
async function loseContinuation(world: World): Promise<void> {
  expect(await world.deliverMessage()).toMatchObject({ result: { outcome: 'continued' } });
  world.queue.length = 0;
}

async function expectDelivered(world: World): Promise<void> {
  expect(await world.runs.job(world.job)).toMatchObject({ state: 'succeeded', archives: 2 });
  expect(world.reports.at(-1)).toMatchObject({ outcome: 'succeeded' });
  for (const [path, bytes] of world.server.files) {
    const staged = world.staged.get(`${world.userId}/${path}`) ?? Buffer.alloc(0);
    expect(digestOf(bytes)).toEqual(digestOf(staged));
  }
  expect(world.server.files.size).toBe(2);
  expect(world.server.unfinished.size).toBe(0);
  const kinds = (await dynamo.itemsOf(world.userId)).map((sk) => sk.split('#')[0]);
  expect(kinds.sort()).toEqual(['JOB', 'LEASE', 'RECEIPT', 'RECEIPT', 'SHOWN', 'SHOWN', 'USAGE']);
  expect(await expectations(dynamo, world)).toEqual([]);
}

describe('a job whose worker was killed', () => {
  it('is swept at the end of the lease, not before, and goes on from where it was', async () => {
    const world = await openWorld(dynamo);
    const parts = countParts(world);
    const began = world.now();
    await killAndLose(world);
    world.passTime(began + LEASE_MS + MINUTE - world.now());
    expect(await sweep(world)).toEqual(NOTHING);
    world.passTime(1);
    expect(await sweep(world)).toEqual(ONE);
    expect(world.queue).toEqual([world.job]);
    await drain(world);
    await expectDelivered(world);
    // Thirteen parts and one, and those that were on their way.
    expect(parts()).toBeLessThanOrEqual(14 + 3);
  });

  it('is swept in a later hop as well, under that hop', async () => {
    const world = await openWorld(dynamo);
    await world.deliverMessage();
    await killAndLose(world, 12);
    world.passTime(SWEEP_INTERVAL_MS);
    expect(await sweep(world)).toEqual(ONE);
    expect(world.queue).toEqual([{ ...world.job, hop: 1 }]);
    await drain(world);
    await expectDelivered(world);
  });

  it('and whose message comes back as well ends once', async () => {
    const world = await openWorld(dynamo);
    await world.deliverMessage({ death: { atStep: 30, when: 'after the effect' } });
    world.passTime(SWEEP_INTERVAL_MS);
    expect(await sweep(world)).toEqual(ONE);
    expect(world.queue).toEqual([world.job, world.job]);
    await drain(world);
    await expectDelivered(world);
    expect(world.reports).toHaveLength(1);
  });

  it('is not swept again while its message waits for a worker', async () => {
    const world = await openWorld(dynamo);
    await killAndLose(world);
    world.passTime(SWEEP_INTERVAL_MS);
    expect(await sweep(world)).toEqual(ONE);
    for (let waited = 0; waited < 60; waited += 5) {
      world.passTime(SWEEP_INTERVAL_MS);
      expect(await sweep(world)).toEqual(NOTHING);
    }
    world.passTime(SWEEP_INTERVAL_MS);
    expect(await sweep(world)).toEqual(ONE);
    await drain(world);
    await expectDelivered(world);
    expect(world.reports).toHaveLength(1);
  });
});

describe('a job of which no message is left', () => {
  it('is swept half an hour after its continuation was due, not before', async () => {
    const world = await openWorld(dynamo);
    await loseContinuation(world);
    world.passTime(30 * MINUTE);
    expect(await sweep(world)).toEqual(NOTHING);
    world.passTime(MINUTE + 1);
    expect(await sweep(world)).toEqual(ONE);
    await drain(world);
    await expectDelivered(world);
  });

  it('is swept although a later run has the lease now, and ends as skipped', async () => {
    const world = await openWorld(dynamo);
    await loseContinuation(world);
    world.passTime(32 * MINUTE);
    const later = { ...world.job, slot: '2026-11-23T03:00:00.000Z' };
    await world.runs.acquire(later, 'another worker', world.now() + LEASE_MS);
    expect(await sweep(world)).toEqual(ONE);
    await drain(world);
    expect(await stateOf(world)).toBe('skipped');
    expect(await expectations(dynamo, world)).toEqual([]);
  });

  it('and that was given back is not swept before it can have come back', async () => {
    const world = await openWorld(dynamo);
    const busy = { retry: 'later', retryAfterMs: 5 * 60 * MINUTE } as const;
    const { before: go } = world.server;
    world.server.before = () => Promise.reject(new FerryError('throttled', 'Busy.', busy));
    const asked = world.now();
    expect(await world.deliverMessage()).toMatchObject({ result: { outcome: 'retrying' } });
    world.server.before = go;
    world.queue.length = 0;
    world.passTime(asked + (5 * 60 + 30) * MINUTE - world.now());
    expect(await sweep(world)).toEqual(NOTHING);
    world.passTime(2 * MINUTE);
    expect(await sweep(world)).toEqual(ONE);
    await drain(world);
    await expectDelivered(world);
  });
});

describe('a job that is under way', () => {
  it('is never swept while its worker lives', async () => {
    const world = await openWorld(dynamo);
    const { before: go } = world.server;
    const seen: unknown[] = [];
    world.server.before = async (step, part) => {
      await go(step, part);
      seen.push(await sweep(world));
    };
    await drain(world);
    expect(seen.length).toBeGreaterThan(14);
    for (const each of seen) expect(each).toEqual(NOTHING);
    await expectDelivered(world);
  });

  it('is not swept between two hops', async () => {
    const world = await openWorld(dynamo);
    while (world.queue.length > 0) {
      await world.deliverMessage();
      world.passTime(20 * MINUTE);
      expect(await sweep(world)).toEqual(NOTHING);
    }
    await expectDelivered(world);
  });
});

describe('a job that has ended', () => {
  const refuse = (world: World, error: FerryError) => {
    world.server.before = () => Promise.reject(error);
  };

  it.each([
    ['succeeded', () => {}, 1],
    ['skipped', (world: World) => world.staged.clear(), 1],
    [
      'failed',
      (world: World) => refuse(world, new FerryError('auth-refused', 'Wrong.', { retry: 'never' })),
      1,
    ],
    [
      'failed',
      (world: World) =>
        refuse(world, new FerryError('unreachable', 'Nobody answers.', { retry: 'later' })),
      MAX_RECEIVE_COUNT,
    ],
  ] as const)('as %s is in the index no more', async (state, arrange, receiveCount) => {
    const world = await openWorld(dynamo);
    arrange(world);
    while ((await stateOf(world)) !== state) await world.deliverMessage({ receiveCount });
    expect(await expectations(dynamo, world)).toEqual([]);
    world.passTime(48 * 60 * MINUTE);
    expect(await sweep(world)).toEqual(NOTHING);
  });
});

describe('a sweep', () => {
  it('that comes twice at once does no harm', async () => {
    const world = await openWorld(dynamo);
    await killAndLose(world);
    world.passTime(SWEEP_INTERVAL_MS);
    await Promise.all([sweep(world), sweep(world)]);
    expect(world.queue.length).toBeGreaterThan(0);
    expect(world.queue.length).toBeLessThanOrEqual(2);
    expect(await world.runs.job(world.job)).toMatchObject({ sweeps: 1 });
    await drain(world);
    await expectDelivered(world);
    expect(world.reports).toHaveLength(1);
  });

  it('killed before or after any of its steps loses no job, and the next one does the rest', async () => {
    const probe = await openWorld(dynamo);
    await killAndLose(probe);
    probe.passTime(SWEEP_INTERVAL_MS);
    const { steps } = await sweepOnce(dynamo, probe);
    expect(steps).toBeGreaterThan(3);
    let twins = 0;
    for (let atStep = 1; atStep <= steps; atStep++) {
      for (const when of ['before the effect', 'after the effect'] as const) {
        const world = await openWorld(dynamo);
        await killAndLose(world);
        world.passTime(SWEEP_INTERVAL_MS);
        expect((await sweepOnce(dynamo, world, { atStep, when })).result).toBe('died');
        await sweepOnce(dynamo, world);
        expect(world.queue.length).toBeGreaterThan(0);
        expect(world.queue.length).toBeLessThanOrEqual(2);
        twins += world.queue.length - 1;
        await drain(world);
        await expectDelivered(world);
        expect(world.reports).toHaveLength(1);
      }
    }
    expect(twins).toBeGreaterThan(0);
  });

  it('that is too late changes nothing of what a worker has written meanwhile', async () => {
    const world = await openWorld(dynamo);
    await loseContinuation(world);
    const seen = await world.runs.job(world.job);
    if (!seen) throw new Error('no record');
    world.queue.push({ ...world.job, hop: 1 });
    await drain(world);
    const index = openSweepIndex(dynamo.documents, dynamo.runsTable);
    expect(await index.moveOn(world.job, seen, { ...seen, sweeps: 1 })).toBe(false);
    await expectDelivered(world);
  });

  it('puts messages on the real queue that a worker can read', async () => {
    const sqs = await startSqs();
    try {
      const url = await sqs.createQueue('jobs');
      const world = await openWorld(dynamo);
      await loseContinuation(world);
      const index = openSweepIndex(dynamo.documents, dynamo.runsTable);
      const at = world.now() + 32 * MINUTE;
      let swept = 0;
      await sweepJobs(
        {
          runs: { ...openRunsTable(dynamo.documents, dynamo.runsTable), ...index },
          queue: openJobQueue(sqs.client, url),
          report: async () => {},
          raise: async () => {},
          metrics: {
            sweepEnded(summary) {
              swept = summary.swept;
            },
          },
          log: { info() {}, warn() {} },
        },
        'sweep',
        { now: () => at, remaining: () => 120_000 },
      );
      const sent = (await sqs.drain(url)).map(({ Body = '' }) => readMessage(Body));
      expect(sent).toContainEqual(world.job);
      expect(sent).toHaveLength(swept);
    } finally {
      await sqs.stop();
    }
  });
});

describe('a job that is lost again and again', () => {
  /** Lets every worker be killed, and every message be gone, until nothing is swept any more. */
  async function loseAlways(world: World): Promise<number> {
    let sweeps = 0;
    await killAndLose(world, 12);
    for (;;) {
      world.passTime(SWEEP_INTERVAL_MS);
      const result = await sweep(world);
      if (result === 'died' || result.left > 0) throw new Error('the sweep is in trouble');
      if (result.givenUp > 0) return sweeps;
      sweeps += result.swept;
      expect(sweeps).toBeLessThanOrEqual(MOST_SWEEPS);
      if (world.queue.length > 0) await killAndLose(world, 12);
    }
  }

  it('has failed after five sweeps, in the record and for the user, and its messages end', async () => {
    const world = await openWorld(dynamo);
    const began = world.now();
    expect(await loseAlways(world)).toBe(MOST_SWEEPS);
    expect(world.now() - began).toBeLessThan(2 * 60 * MINUTE);
    expect(await world.runs.job(world.job)).toMatchObject({
      state: 'failed',
      errors: [{ code: 'worker-lost', message: expect.stringMatching(/lost its worker 6 times/) }],
    });
    expect(world.reports).toMatchObject([
      { outcome: 'failed', code: 'worker-lost', message: expect.stringMatching(/next run/) },
    ]);
    expect(await expectations(dynamo, world)).toEqual([]);
    world.queue.push(world.job);
    expect(await world.deliverMessage()).toMatchObject({ result: { outcome: 'duplicate' } });
    expect(await stateOf(world)).toBe('failed');
  });

  it('leaves its destination to the next run, which delivers everything', async () => {
    const world = await openWorld(dynamo);
    await loseAlways(world);
    world.queue.push({ ...world.job, slot: '2026-11-23T03:00:00.000Z' });
    await drain(world);
    expect(world.server.files.size).toBe(2);
    expect(world.reports.at(-1)).toMatchObject({ outcome: 'succeeded' });
  });

  it('is given up only after a day and more when it is the queue that stands still', async () => {
    const world = await openWorld(dynamo);
    await loseContinuation(world);
    const lost = world.now();
    let summary = await sweep(world);
    while (summary !== 'died' && summary.givenUp === 0) {
      expect(world.queue.length).toBeLessThanOrEqual(MOST_SWEEPS);
      world.passTime(SWEEP_INTERVAL_MS);
      summary = await sweep(world);
    }
    expect(world.queue).toHaveLength(MOST_SWEEPS);
    expect(world.now() - lost).toBeGreaterThan(30 * 60 * MINUTE);
    await drain(world);
    expect(world.reports).toMatchObject([{ outcome: 'failed' }]);
  });

  it('but gets further in between is never given up', async () => {
    const world = await openWorld(dynamo);
    world.staged.set(`${world.userId}/html/site.tar`, sampleBytes(40 * PART, 'long'));
    let sweeps = 0;
    // Each hop moves a few parts and its continuation is lost; the one that is sent again moves more.
    while ((await stateOf(world)) !== 'succeeded') {
      await world.deliverMessage({ invocationMs: 11_000 });
      world.queue.length = 0;
      if ((await stateOf(world)) === 'succeeded') break;
      world.passTime(32 * MINUTE);
      expect(await sweep(world)).toEqual(ONE);
      sweeps += 1;
      expect(await world.runs.job(world.job)).toMatchObject({ hop: 0, sweeps: 1 });
    }
    expect(sweeps).toBeGreaterThan(MOST_SWEEPS);
    await expectDelivered(world);
  });

  it('is left alone while a worker is at its destination, and given up afterwards', async () => {
    const world = await openWorld(dynamo);
    await killAndLose(world, 12);
    for (let sweeps = 0; sweeps < MOST_SWEEPS; sweeps++) {
      world.passTime(SWEEP_INTERVAL_MS);
      expect(await sweep(world)).toEqual(ONE);
      await killAndLose(world, 12);
    }
    world.passTime(SWEEP_INTERVAL_MS);
    await world.runs.acquire(world.job, 'a worker', world.now() + LEASE_MS);
    expect(await sweep(world)).toEqual(NOTHING);
    expect(world.reports).toEqual([]);
    world.passTime(SWEEP_INTERVAL_MS);
    expect(await sweep(world)).toEqual({ ...NOTHING, givenUp: 1 });
  });

  it('ends as failed although the sweep is killed before or after any step of giving it up', async () => {
    const lose = async () => {
      const world = await openWorld(dynamo);
      await killAndLose(world, 12);
      for (let sweeps = 0; sweeps < MOST_SWEEPS; sweeps++) {
        world.passTime(SWEEP_INTERVAL_MS);
        await sweep(world);
        await killAndLose(world, 12);
      }
      world.passTime(SWEEP_INTERVAL_MS);
      return world;
    };
    const { steps } = await sweepOnce(dynamo, await lose());
    expect(steps).toBeGreaterThan(6);
    for (let atStep = 1; atStep <= steps; atStep++) {
      for (const when of ['before the effect', 'after the effect'] as const) {
        const world = await lose();
        expect((await sweepOnce(dynamo, world, { atStep, when })).result).toBe('died');
        world.passTime(SWEEP_INTERVAL_MS);
        await sweep(world);
        expect(await stateOf(world)).toBe('failed');
        expect(world.reports.at(-1)).toMatchObject({ outcome: 'failed', code: 'worker-lost' });
        expect(await expectations(dynamo, world)).toEqual([]);
        expect(world.queue).toEqual([]);
      }
    }
  });
});
