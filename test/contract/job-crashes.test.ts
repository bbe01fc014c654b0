import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Archive, StagedArchive } from '../../functions/core/archive.ts';
import { FerryError } from '../../functions/core/errors.ts';
import type { Job } from '../../functions/core/job.ts';
import { MiB } from '../../functions/core/parts.ts';
import type { Destination } from '../../functions/destinations/contract.ts';
import { sha256 } from '../../functions/digest/sha256.ts';
import { openRunsTable } from '../../functions/runs/runs-table.ts';
import { openBuffers } from '../../functions/transfer/buffers.ts';
import type { JobResult, RunReport, Source } from '../../functions/transfer/ports.ts';
import { type JobTools, runJob } from '../../functions/transfer/run-job.ts';
import { type EmbeddedDynamoDb, startDynamoDb } from '../servers/embedded-dynamodb.ts';
import { openMemoryDestination, openMemoryServer } from './memory-destination.ts';
import { type Death, mortal } from './mortal.ts';
import { digestOf, sampleBytes } from './sample.ts';

/**
 * Kills the worker at every step it takes, before and after the step's effect, and lets the queue
 * deliver its message again. The runs table is a real one; destination and staging are in memory.
 */
const PART = 64 * 1024;
/** One invocation lives this long; moving a part takes three seconds of it, so a job needs hops. */
const INVOCATION_MS = 40_000;
const PART_MS = 3_000;
const MAX_RECEIVE_COUNT = 8;

let dynamo: EmbeddedDynamoDb;
let worlds = 0;
beforeAll(async () => {
  dynamo = await startDynamoDb();
});
afterAll(() => dynamo.stop());

/** One user, two archives, one destination, and a clock of its own. */
async function openWorld() {
  worlds += 1;
  const userId = `user-${worlds}`;
  const job: Job = { userId, slot: '2026-11-22T03:00:00.000Z', destination: 'nas', hop: 0 };
  let now = Date.parse(job.slot);
  const server = openMemoryServer();
  server.before = async (step) => {
    if (step === 'write') now += PART_MS;
  };
  const staged = new Map([
    [`${userId}/html/site.tar`, sampleBytes(12 * PART + 5, 'site')],
    [`${userId}/mysql/db.sql`, sampleBytes(10, 'db')],
  ]);
  const runs = openRunsTable(dynamo.documents, dynamo.runsTable, () => now);
  const queue: Job[] = [job];
  const reports: RunReport[] = [];
  let receives = 0;

  /** One delivery of the first message, by a worker that may die on the way. */
  const deliverMessage = async (death?: Death) => {
    const [message] = queue;
    if (!message) throw new Error('the queue is empty');
    receives += 1;
    const process = mortal(death);
    const endsAt = now + INVOCATION_MS;
    const destination = mortalDestination(process, openMemoryDestination(server));
    const outbox = process.wrap(
      {
        sendContinuation: async (next: Job) => void queue.push(next),
        report: async (_job: Job, report: RunReport) => void reports.push(report),
      },
      'sendContinuation',
      'report',
    );
    const tools: JobTools = {
      settings: {
        read: async () => ({
          ok: true,
          value: { backUp: 'everything', type: 'memory', open: async () => destination },
        }),
      },
      source: process.wrap(sourceOf(staged), 'pin', 'read'),
      runs: process.wrap(
        runs,
        ...(['job', 'acquire', 'assertHeld', 'release', 'saveJob', 'checkpoint'] as const),
        ...(['saveCheckpoint', 'removeCheckpoint', 'deliveredBy', 'saveReceipt'] as const),
      ),
      hashing: sha256,
      buffers: openBuffers(MiB),
      metrics: { runEnded() {}, archiveDelivered() {} },
      log: { debug() {}, info() {}, warn() {} },
      ...outbox,
    };
    const run = runJob(tools, message, {
      owner: `worker-${receives}`,
      receiveCount: 1,
      maxReceiveCount: MAX_RECEIVE_COUNT,
      clock: { now: () => now, remaining: () => Math.max(0, endsAt - now) },
    });
    const result: JobResult | 'died' = await Promise.race([run, process.died]);
    if (result === 'died') now += INVOCATION_MS + 120_000;
    else if (result.outcome === 'retrying') now += result.delayMs + 1;
    else queue.shift();
    return { result, steps: process.steps() };
  };

  return { server, staged, runs, queue, reports, job, deliverMessage, userId };
}

function sourceOf(staged: ReadonlyMap<string, Buffer>): Source {
  return {
    async *list(userId) {
      for (const [key, bytes] of staged) {
        const [, component = '', file = ''] = key.split('/');
        const etag = digestOf(bytes).sha256.slice(0, 32);
        if (key.startsWith(`${userId}/`)) yield { key, component, file, etag, size: bytes.length };
      }
    },
    async pin(archive: StagedArchive): Promise<Archive> {
      const bytes = staged.get(archive.key) ?? Buffer.alloc(0);
      return { ...archive, checksum: { algorithm: 'crc32', value: digestOf(bytes).crc32 } };
    },
    async read(archive, { offset, length }, into) {
      const bytes = staged.get(archive.key);
      if (!bytes) throw new FerryError('source-missing', 'It is gone.', { retry: 'later' });
      bytes.copy(into, 0, offset, offset + length);
      return into.subarray(0, length);
    },
  };
}

/** Uploads are handed out by the destination, so their steps are the process' too. */
function mortalDestination(process: ReturnType<typeof mortal>, inner: Destination): Destination {
  const wrapped = process.wrap(inner, 'begin', 'resume', 'close');
  const calls = ['writePart', 'checkpoint', 'finish', 'abort'] as const;
  return {
    ...wrapped,
    capabilities: inner.capabilities,
    begin: async (...given) => process.wrap(await wrapped.begin(...given), ...calls),
    resume: async (...given) => process.wrap(await wrapped.resume(...given), ...calls),
  };
}

/** Delivers messages until none is left, then looks at everything that a person could see. */
async function settle(world: Awaited<ReturnType<typeof openWorld>>) {
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
async function killOnce(
  world: Awaited<ReturnType<typeof openWorld>>,
  atStep: number,
  when: Death['when'],
): Promise<boolean> {
  let left = atStep;
  while (world.queue.length > 0) {
    const { result, steps } = await world.deliverMessage({ atStep: left, when });
    if (result === 'died') return true;
    left -= steps;
  }
  return false;
}

const AT_REST = ['JOB', 'LEASE', 'RECEIPT', 'RECEIPT'];

describe('a job whose worker is killed', () => {
  it('needs several hops without any kill, and sends every byte once', async () => {
    const world = await openWorld();
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
        const world = await openWorld();
        survived = !(await killOnce(world, atStep, when));
        if (!survived) kills += 1;
        const kinds = await settle(world);
        // A kill between receipt and clean-up leaves a checkpoint, which expires by itself.
        expect(kinds.filter((kind) => kind !== 'CHECKPOINT')).toEqual(AT_REST);
      }
      expect(kills).toBeGreaterThan(60);
    },
  );

  it('and killed again in its second invocation', async () => {
    for (let atStep = 1; atStep < 40; atStep += 3) {
      const world = await openWorld();
      await world.deliverMessage({ atStep: 30, when: 'after the effect' });
      await world.deliverMessage({ atStep, when: 'after the effect' });
      await settle(world);
    }
  });
});
