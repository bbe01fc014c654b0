import { GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Checkpoint } from '../../functions/core/checkpoint.ts';
import { type Job, jobId } from '../../functions/core/job.ts';
import { type JobRecord, startRecord } from '../../functions/core/job-record.ts';
import type { Lease } from '../../functions/core/lease.ts';
import type { Receipt } from '../../functions/core/receipt.ts';
import { openRunsTable } from '../../functions/runs/runs-table.ts';
import { type EmbeddedDynamoDb, startDynamoDb } from '../servers/embedded-dynamodb.ts';
import { digestOf, sampleBytes } from './sample.ts';

/** What a worker still writes that has lost its lease, however late it lands. */
let dynamo: EmbeddedDynamoDb;
let users = 0;
let runs: ReturnType<typeof openRunsTable>;
let job: Job;
let older: Lease;
let newer: Lease;

const NOW = Date.parse('2026-11-22T03:00:00Z');

async function acquire(owner: string, until: number): Promise<Lease> {
  const answer = await runs.acquire(job, owner, until);
  if (!answer.held) throw new Error('the lease is taken');
  return answer.lease;
}

beforeAll(async () => {
  dynamo = await startDynamoDb();
});
afterAll(() => dynamo.stop());
beforeEach(async () => {
  users += 1;
  job = { userId: `user-${users}`, slot: '2026-11-22T03:00:00Z', destination: 'nas', hop: 0 };
  runs = openRunsTable(dynamo.documents, dynamo.runsTable, () => NOW);
  older = await acquire('older', NOW - 1);
  newer = await acquire('newer', NOW + 100_000);
});

const bytes = sampleBytes(100, 'site');
const archiveOf = (etag: string) => ({
  ...{ key: `${job.userId}/html/site.tar`, component: 'html', file: 'site.tar' },
  ...{ etag, size: bytes.length },
});
const archive = () => archiveOf('one');
const checkpoint = (parts: number): Checkpoint => ({
  ...{ v: 1, archive: archive(), partSize: 10, prefix: { parts, crc32: 0 } },
  ...{ restarts: 0, startedAt: NOW },
});
const record = (fence: number): JobRecord => startRecord(job, undefined, fence, NOW);
const receipt = (slot: string): Receipt => ({
  ...{ v: 1, jobId: jobId({ ...job, slot }), destination: 'nas', archive: archive() },
  digest: digestOf(bytes),
  proof: { verified: 'size', how: 'looked', remotePath: '/site.tar', size: bytes.length },
  ...{ deliveredAt: new Date(NOW).toISOString(), durationMs: 1 },
});

describe('a write of this worker that lands after a later one of its own', () => {
  it('changes nothing, since it counted as lost and was sent again', async () => {
    const late = openRunsTable(dynamo.documents, dynamo.runsTable, () => NOW - 1);
    await runs.saveCheckpoint(newer, checkpoint(2));
    await runs.saveCheckpoint(newer, checkpoint(7));
    const lost = { code: 'lease-lost', retry: 'later' };
    await expect(late.saveCheckpoint(newer, checkpoint(3))).rejects.toMatchObject(lost);
    expect(await runs.checkpoint(newer, archive())).toEqual(checkpoint(7));
    await runs.saveCheckpoint(newer, checkpoint(1));
    expect(await runs.checkpoint(newer, archive())).toEqual(checkpoint(1));
  });
});

describe('a write that lands after a later holder of the lease has written', () => {
  const lost = { code: 'lease-lost', retry: 'later' };

  it('of a checkpoint changes nothing of it', async () => {
    await runs.saveCheckpoint(older, checkpoint(2));
    await runs.saveCheckpoint(newer, checkpoint(7));
    await expect(runs.saveCheckpoint(older, checkpoint(3))).rejects.toMatchObject(lost);
    await expect(runs.removeCheckpoint(older, archive())).rejects.toMatchObject(lost);
    expect(await runs.checkpoint(newer, archive())).toEqual(checkpoint(7));
  });

  it('of what is about to be shown changes nothing of it', async () => {
    await runs.saveReceipt(newer, receipt(job.slot));
    await runs.saveShown(newer, archive());
    await expect(runs.saveShown(older, archiveOf('two'))).rejects.toMatchObject(lost);
    expect(await runs.deliveredBy(newer, archive())).toBe(jobId(job));
  });

  it('of a receipt changes nothing of it', async () => {
    await runs.saveReceipt(newer, receipt(job.slot));
    const late = runs.saveReceipt(older, receipt('2026-11-21T03:00:00Z'));
    await expect(late).rejects.toMatchObject(lost);
    expect(await runs.deliveredBy(newer, archive())).toBe(jobId(job));
  });

  it('of how the job stands changes nothing of it', async () => {
    const ended: JobRecord = { ...record(newer.fence), state: 'succeeded', archives: 2 };
    await runs.saveJob(job, ended);
    await expect(runs.saveJob(job, record(older.fence))).rejects.toMatchObject(lost);
    expect(await runs.job(job)).toMatchObject({ state: 'succeeded', archives: 2 });
  });

  it('gives no lease back but its own', async () => {
    await runs.release(older);
    await expect(runs.assertHeld(newer)).resolves.toBeUndefined();
    const third = await runs.acquire(job, 'third', NOW + 100_000);
    expect(third).toMatchObject({ held: false });
  });
});

/** Changes what an item holds, as another version or a person may. */
const rewrite = async (kind: string, change: (data: unknown) => unknown) => {
  const [sk = ''] = (await dynamo.itemsOf(job.userId)).filter((one) => one.startsWith(kind));
  const Key = { pk: `USER#${job.userId}`, sk };
  const place = { TableName: dynamo.runsTable, Key };
  const { Item } = await dynamo.documents.send(new GetCommand(place));
  await dynamo.documents.send(
    new UpdateCommand({
      ...place,
      UpdateExpression: 'SET #data = :data',
      ExpressionAttributeNames: { '#data': 'data' },
      ExpressionAttributeValues: { ':data': change(Item?.data) },
    }),
  );
};

describe('an item that a newer version has written', () => {
  /** Gives every map of an item one field more. */
  const grown = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(grown);
    if (typeof value !== 'object' || value === null) return value;
    const fields = Object.entries(value).map(([name, held]) => [name, grown(held)]);
    return { ...Object.fromEntries(fields), since: 'the next version' };
  };
  it('and that has fields which are not known here is read without them', async () => {
    const errors = [{ code: 'no-space', message: 'It is full.' }] as const;
    const failed: JobRecord = { ...record(newer.fence), state: 'failed', errors };
    await runs.saveJob(job, failed);
    await runs.saveCheckpoint(newer, checkpoint(7));
    await runs.saveShown(newer, archive());
    await runs.saveReceipt(newer, receipt(job.slot));
    for (const kind of ['JOB', 'CHECKPOINT', 'SHOWN', 'RECEIPT']) await rewrite(kind, grown);
    expect(await runs.job(job)).toEqual(failed);
    expect(await runs.checkpoint(newer, archive())).toEqual(checkpoint(7));
    expect(await runs.deliveredBy(newer, archive())).toBe(jobId(job));
  });

  it('and that means something else by its version is not taken for one of ours', async () => {
    await runs.saveJob(job, record(newer.fence));
    await runs.saveCheckpoint(newer, checkpoint(7));
    const next = (data: unknown) => (typeof data === 'object' ? { ...data, v: 2 } : data);
    for (const kind of ['JOB', 'CHECKPOINT']) await rewrite(kind, next);
    await expect(runs.job(job)).rejects.toThrow();
    expect(await runs.checkpoint(newer, archive())).toBeUndefined();
  });
});

it('a checkpoint that lands after the later holder has removed it is there for the next one to take back', async () => {
  await runs.saveCheckpoint(newer, checkpoint(7));
  await runs.removeCheckpoint(newer, archive());
  await runs.saveCheckpoint(older, checkpoint(3));
  const left: Checkpoint[] = [];
  for await (const one of runs.checkpoints(newer)) left.push(one);
  expect(left).toEqual([checkpoint(3)]);
  await runs.removeCheckpoint(newer, archive());
  expect(await runs.checkpoint(newer, archive())).toBeUndefined();
});

describe('the note that a transfer begins', () => {
  it('is written where there is none', async () => {
    expect(await runs.beginCheckpoint(newer, checkpoint(0))).toBeUndefined();
    expect(await runs.checkpoint(newer, archive())).toEqual(checkpoint(0));
  });

  it.each([['earlier', () => older] as const, ['same', () => newer] as const])(
    'gives what the %s holder of the lease has saved, and leaves it there',
    async (_, holder) => {
      await runs.saveCheckpoint(holder(), checkpoint(7));
      expect(await runs.beginCheckpoint(newer, checkpoint(0))).toEqual(checkpoint(7));
      expect(await runs.checkpoint(newer, archive())).toEqual(checkpoint(7));
    },
  );

  it('takes the place of one that cannot be read', async () => {
    await runs.saveCheckpoint(older, checkpoint(7));
    await rewrite('CHECKPOINT', () => ({ v: 2 }));
    expect(await runs.beginCheckpoint(newer, checkpoint(0))).toBeUndefined();
    expect(await runs.checkpoint(newer, archive())).toEqual(checkpoint(0));
  });

  it.each([['can', undefined] as const, ['cannot', { v: 2 }] as const])(
    'is refused to whoever has lost the lease, where the later holder has written one that it %s read',
    async (_, data) => {
      await runs.saveCheckpoint(newer, checkpoint(7));
      if (data) await rewrite('CHECKPOINT', () => data);
      const late = runs.beginCheckpoint(older, checkpoint(0));
      await expect(late).rejects.toMatchObject({ code: 'lease-lost' });
    },
  );
});
