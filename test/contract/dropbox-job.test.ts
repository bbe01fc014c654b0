import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StagedArchive } from '../../functions/core/archive.ts';
import { type Clock, systemClock } from '../../functions/core/clock.ts';
import type { Job } from '../../functions/core/job.ts';
import { MiB } from '../../functions/core/parts.ts';
import { NO_LIMITS } from '../../functions/core/policy.ts';
import type { Destination } from '../../functions/destinations/contract.ts';
import { sha256 } from '../../functions/digest/sha256.ts';
import { openRunsTable } from '../../functions/runs/runs-table.ts';
import { openBuffers } from '../../functions/transfer/buffers.ts';
import type { JobResult, RunReport, Source } from '../../functions/transfer/ports.ts';
import { runJob } from '../../functions/transfer/run-job.ts';
import type { Account } from '../../local/dropbox/oauth.ts';
import type { DropboxFake } from '../../local/dropbox/server.ts';
import { type EmbeddedDynamoDb, startDynamoDb } from '../servers/embedded-dynamodb.ts';
import { openWith, settingsOf, startFake, storedIn } from './dropbox-subject.ts';
import { sampleBytes } from './sample.ts';

const BLOCK = 4 * MiB;
/** files.stone: 2^41 - 2^22 bytes. */
const LIMIT = 2_199_019_061_248;
/** Of an archive whose checksum goes with it from hop to hop, so that nothing is read twice. */
const LARGE = Number.MAX_SAFE_INTEGER;
const SLOT = '2026-11-24T03:00:00.000Z';
const INVOCATION_MS = 60_000;

/** Whole jobs, by the engine, to a Dropbox; the clock goes on by a fixed time for each part that is read. */
describe('a job that goes to a Dropbox', () => {
  let fake: DropboxFake;
  let dynamo: EmbeddedDynamoDb;
  let users = 0;

  beforeAll(async () => {
    fake = await startFake();
    dynamo = await startDynamoDb();
  });
  afterAll(async () => {
    await fake.stop();
    await dynamo.stop();
  });

  const openJob = (
    staged: Readonly<Record<string, { size: number; bytes?: Buffer }>>,
    partMs: number,
    limitParts: (destination: Destination) => Destination = (destination) => destination,
  ) => {
    users += 1;
    const userId = `user-${users}`;
    const account: Account = fake.addAccount(userId);
    const refreshToken = fake.oauth.connect(fake.app, account);
    let now = Date.parse(SLOT);
    let endsAt = now;
    const reads: string[] = [];
    const reports: RunReport[] = [];
    const queue: Job[] = [{ userId, slot: SLOT, destination: 'box', hop: 0 }];
    const remaining = () => Math.max(0, endsAt - now);
    const clock: Clock = { ...systemClock(remaining), now: () => now };
    const source: Source = {
      async *list() {
        for (const [name, { size }] of Object.entries(staged)) {
          const archive: StagedArchive = {
            key: `${userId}/html/${name}`,
            component: 'html',
            file: name,
            etag: name,
            size,
          };
          yield archive;
        }
      },
      pin: async (archive) => archive,
      async read({ file }, { offset, length }, into) {
        reads.push(file);
        now += partMs;
        staged[file]?.bytes?.copy(into, 0, offset, offset + length);
        return into.subarray(0, length);
      },
    };
    const deliver = async (): Promise<JobResult | undefined> => {
      const job = queue.shift();
      if (!job) return undefined;
      endsAt = now + INVOCATION_MS;
      const settings = {
        ...settingsOf(fake, account),
        DROPBOX_REFRESH_TOKEN: refreshToken,
        DROPBOX_CONCURRENCY_LEVEL: 2,
      };
      return runJob(
        {
          settings: {
            isActive: async () => true,
            read: async () => ({
              ok: true,
              value: {
                backUp: 'everything',
                policy: NO_LIMITS,
                type: 'dropbox',
                verify: 'size',
                open: async () => limitParts(await openWith(settings)),
              },
            }),
          },
          source,
          runs: openRunsTable(dynamo.documents, dynamo.runsTable, clock.now),
          hashing: { ...sha256, start: () => sha256.start(LARGE) },
          buffers: openBuffers(64 * MiB),
          raise: async () => {},
          metrics: { runEnded() {}, archiveDelivered() {} },
          log: { debug() {}, info() {}, warn() {} },
          sendContinuation: async (next) => void queue.push(next),
          report: async (_user, _destination, run) => void reports.push(run),
        },
        job,
        { owner: `worker-${job.hop}`, receiveCount: 1, maxReceiveCount: 8, clock },
      );
    };
    return { account, reads, reports, deliver };
  };

  it('refuses more than 2 TiB before a byte is read, and delivers the others', async () => {
    const bytes = sampleBytes(100, 'small');
    const staged = { 'huge.tar': { size: LIMIT + 1 }, 'small.tar': { size: 100, bytes } };
    const job = openJob(staged, 10);
    expect(await job.deliver()).toMatchObject({ outcome: 'failed' });
    expect(job.reads).toEqual(['small.tar']);
    expect(job.reports).toMatchObject([
      { outcome: 'failed', code: 'too-large', message: expect.stringMatching(/2 TiB/) },
    ]);
    expect(await storedIn(job.account, '/html/small.tar')).toEqual(bytes);
  });

  it('takes several hops for one archive, with tokens that run out in between', async () => {
    const bytes = sampleBytes(12 * BLOCK + 11, 'hops');
    /** Parts of the smallest size, so that few bytes take several invocations. */
    const small = (destination: Destination): Destination => ({
      ...destination,
      capabilities: async (signal) => {
        const found = await destination.capabilities(signal);
        return { ...found, part: { ...found.part, preferred: BLOCK } };
      },
    });
    const job = openJob({ 'site.tar': { size: bytes.length, bytes } }, 15_000, small);
    const results: (string | undefined)[] = [];
    for (let result = await job.deliver(); result; result = await job.deliver()) {
      results.push(result.outcome);
      fake.oauth.expireAccessTokens();
    }
    expect(results.length).toBeGreaterThan(2);
    expect(results.at(-1)).toBe('succeeded');
    expect(new Set(results.slice(0, -1))).toEqual(new Set(['continued']));
    expect(await storedIn(job.account, '/html/site.tar')).toEqual(bytes);
    expect(job.reports).toMatchObject([{ outcome: 'succeeded' }]);
  });
});
