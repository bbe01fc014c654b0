import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { Archive, StagedArchive } from '../../functions/core/archive.ts';
import { systemClock } from '../../functions/core/clock.ts';
import { FerryError } from '../../functions/core/errors.ts';
import type { FerryEvent } from '../../functions/core/event.ts';
import type { Job } from '../../functions/core/job.ts';
import { MiB } from '../../functions/core/parts.ts';
import { NO_LIMITS, type Policy } from '../../functions/core/policy.ts';
import type { Receipt, Verification } from '../../functions/core/receipt.ts';
import type { Capabilities, Destination } from '../../functions/destinations/contract.ts';
import { sha256 } from '../../functions/digest/sha256.ts';
import { openRunsTable } from '../../functions/runs/runs-table.ts';
import { receiptSchema } from '../../functions/runs/schema.ts';
import { openBuffers } from '../../functions/transfer/buffers.ts';
import type {
  JobResult,
  RunReport,
  SettingsReader,
  Source,
} from '../../functions/transfer/ports.ts';
import { type JobTools, runJob } from '../../functions/transfer/run-job.ts';
import type { EmbeddedDynamoDb } from '../servers/embedded-dynamodb.ts';
import {
  type MemoryServer,
  openMemoryDestination,
  openMemoryServer,
} from './memory-destination.ts';
import { type Death, mortal } from './mortal.ts';
import { digestOf, sampleBytes } from './sample.ts';

/** Bytes of a part in these worlds. */
export const PART = 64 * 1024;
/** One invocation lives this long; writing a part takes some of it, so that a job needs hops. */
export const INVOCATION_MS = 40_000;
const PART_MS = 1_500;
export const MAX_RECEIVE_COUNT = 8;

let worlds = 0;

export interface World {
  readonly userId: string;
  /** Epoch ms, by the clock of this world. */
  now(): number;
  /** The first message of the queue at the start. */
  readonly job: Job;
  readonly server: MemoryServer;
  /** Staging key to content. */
  readonly staged: Map<string, Buffer>;
  readonly runs: ReturnType<typeof openRunsTable>;
  readonly queue: Job[];
  /** What the user's row was told, in order. */
  readonly reports: RunReport[];
  settings: SettingsReader;
  verify: Verification;
  policy: Policy;
  /** What operators were told, in order. */
  readonly events: FerryEvent[];
  /** How the destination differs from one that can do everything. */
  capabilities: Partial<Capabilities>;
  /** What the staging bucket answers to a read; by default what is staged. */
  read: (bytes: Buffer) => Buffer;
  /** Called when the next hop is put on the queue. */
  onContinuation: () => Promise<void>;
  passTime(ms: number): void;
  /** What the runs table has of deliveries. */
  receipts(): Promise<Receipt[]>;
  /** One delivery of the first message, to a worker that may die on the way. */
  deliverMessage(how?: {
    death?: Death;
    receiveCount?: number;
    /** How long the invocation lives; for what is cut off by a real clock. */
    invocationMs?: number;
  }): Promise<{
    readonly result: JobResult | 'died';
    /** Steps that the worker took. */
    readonly steps: number;
  }>;
}

/**
 * One user, two archives, one destination, a queue and a clock: a place to run jobs in. The runs table is
 * a real one; destination and staging are in memory, and time passes only when something is done.
 */
export async function openWorld(dynamo: EmbeddedDynamoDb): Promise<World> {
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
  const nobody = { userId, destination: 'nas', jobId: '', owner: '', fence: 0, until: 0 };
  const settings: World['settings'] = {
    isActive: async (asked) =>
      (await world.settings.read(asked, { lease: nobody, goesOn: false })) !== undefined,
    read: async () => ({
      ok: true,
      value: {
        backUp: 'everything',
        policy: world.policy,
        type: 'memory',
        verify: world.verify,
        open: async () => openMemoryDestination(server, world.capabilities),
      },
    }),
  };
  const runs = openRunsTable(dynamo.documents, dynamo.runsTable, () => now);
  const queue: Job[] = [job];
  const reports: RunReport[] = [];
  const events: FerryEvent[] = [];
  let workers = 0;

  const deliverMessage: World['deliverMessage'] = async ({
    death,
    receiveCount = 1,
    invocationMs = INVOCATION_MS,
  } = {}) => {
    const [message] = queue;
    if (!message) throw new Error('the queue is empty');
    workers += 1;
    const process = mortal(death);
    const endsAt = now + invocationMs;
    const outbox = process.wrap(
      {
        async sendContinuation(next: Job, delayMs: number) {
          now += delayMs;
          await world.onContinuation();
          queue.push(next);
        },
        report: async (_user: string, _destination: string, run: RunReport) =>
          void reports.push(run),
        raise: async (raised: readonly FerryEvent[]) => void events.push(...raised),
      },
      'sendContinuation',
      'report',
      'raise',
    );
    const tools: JobTools = {
      settings: {
        isActive: (asked) => world.settings.isActive(asked),
        async read(asked, standing) {
          const found = await world.settings.read(asked, standing);
          if (!found?.ok) return found;
          const open = async () => mortalDestination(process, await found.value.open());
          return { ok: true, value: { ...found.value, open } };
        },
      },
      source: process.wrap(sourceOf(world), 'pin', 'read'),
      runs: process.wrap(
        runs,
        ...(['job', 'acquire', 'assertHeld', 'release', 'saveJob'] as const),
        ...(['beginCheckpoint', 'saveCheckpoint', 'removeCheckpoint', 'deliveredBy'] as const),
        ...(['saveShown', 'saveReceipt', 'countDelivered', 'deliveredIn', 'othersAtWork'] as const),
      ),
      hashing: sha256,
      buffers: openBuffers(MiB),
      metrics: { runEnded() {}, archiveDelivered() {} },
      log: { debug() {}, info() {}, warn() {} },
      ...outbox,
    };
    const run = runJob(tools, message, {
      owner: `worker-${workers}`,
      receiveCount,
      maxReceiveCount: MAX_RECEIVE_COUNT,
      clock: { ...systemClock(() => Math.max(0, endsAt - now)), now: () => now },
    });
    const result: JobResult | 'died' = await Promise.race([run, process.died]);
    if (result === 'died') now += INVOCATION_MS + 120_000;
    else if (result.outcome === 'retrying') now += result.delayMs + 1;
    else queue.shift();
    return { result, steps: process.steps() };
  };

  const world: World = {
    now: () => now,
    ...{ userId, job, server, staged, runs, queue, reports, events, settings, deliverMessage },
    verify: 'size',
    policy: NO_LIMITS,
    capabilities: {},
    read: (bytes) => bytes,
    onContinuation: async () => {},
    passTime: (ms) => {
      now += ms;
    },
    async receipts() {
      const { Items = [] } = await dynamo.documents.send(
        new QueryCommand({
          TableName: dynamo.runsTable,
          KeyConditionExpression: 'pk = :user AND begins_with(sk, :kind)',
          ExpressionAttributeValues: { ':user': `USER#${userId}`, ':kind': 'RECEIPT#' },
        }),
      );
      return Items.map(({ data }) => receiptSchema.parse(data));
    },
  };
  return world;
}

function sourceOf(world: World): Source {
  const { staged } = world;
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
      world.read(bytes).copy(into, 0, offset, offset + length);
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
    begin: async (...given) => process.wrap(await wrapped.begin(...given), ...calls),
    resume: async (...given) => process.wrap(await wrapped.resume(...given), ...calls),
  };
}

/** Lets the destination fail at one step, so many times. */
export function failAt(
  world: World,
  step: Parameters<World['server']['before']>[0],
  error: FerryError,
  times = Number.POSITIVE_INFINITY,
  from = 0,
) {
  const { before: go } = world.server;
  let calls = 0;
  let left = times;
  world.server.before = async (at, part) => {
    if (at === step) {
      calls += 1;
      if (calls > from && left > 0) {
        left -= 1;
        throw error;
      }
    }
    await go(at, part);
  };
}

/** Delivers messages until the queue is empty. */
export async function drain(world: World): Promise<void> {
  while (world.queue.length > 0) await world.deliverMessage();
}
