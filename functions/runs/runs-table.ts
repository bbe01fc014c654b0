import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { StagedArchive } from '../core/archive.ts';
import type { Checkpoint } from '../core/checkpoint.ts';
import { type JobName, jobId } from '../core/job.ts';
import type { JobRecord } from '../core/job-record.ts';
import type { Lease, LeaseAnswer } from '../core/lease.ts';
import type { Receipt } from '../core/receipt.ts';
import { openCancellations } from './cancellations.ts';
import { type Key, leaseLost, openFencedItems } from './fenced-items.ts';
import {
  checkpointKey,
  jobKey,
  keptSettingsKey,
  leaseKey,
  type Place,
  receiptKey,
  shownKey,
  sweepKeys,
} from './keys.ts';
import { itemsOf } from './partition.ts';
import {
  checkpointItemSchema,
  checkpointSchema,
  jobRecordSchema,
  leaseSchema,
  receiptItemSchema,
  shownItemSchema,
} from './schema.ts';
import { openUsage } from './usage.ts';

/**
 * Longer than any provider keeps an unfinished upload. So are the settings that lead there, from the
 * last hop on.
 */
const CHECKPOINT_DAYS = 14;
/** A year and a bit of history; receipts outlive the archives in staging by far. */
const HISTORY_DAYS = 400;

/**
 * The runs table: one partition a user, single-item conditional writes only.
 *
 * | sk | item |
 * | --- | --- |
 * | `JOB#<slot>#<destination>` | how a job stands; in the sweep index until it has ended |
 * | `SETTINGS#<slot>#<destination>` | what the job began with of its user's row; secrets in it are sealed |
 * | `LEASE#<destination>` | who may write to the destination, and the fence |
 * | `CHECKPOINT#<destination>#<key hash>` | where a transfer is; outlives the job, so that a later one goes on |
 * | `RECEIPT#<destination>#<key hash>#<etag>` | proof that this content was delivered |
 * | `USAGE#<month>` | bytes delivered in it |
 * | `SHOWN#<destination>#<key hash>` | which content the destination shows, or is about to |
 * | `CANCEL#<slot>#<destination>` | somebody does not want this job any more (`cancellations.ts`) |
 */
export function openRunsTable(client: DynamoDBDocumentClient, table: string, now = Date.now) {
  const read = async (key: Key) => {
    const answer = await client.send(
      new GetCommand({ TableName: table, Key: key, ConsistentRead: true }),
    );
    return answer.Item;
  };
  const get = async (key: Key) => (await read(key))?.data;

  const { put: putFenced, putNew, remove: removeFenced } = openFencedItems(client, table, now);

  const readCheckpoint = async (lease: Lease, archive: StagedArchive) =>
    checkpointItemSchema.parse((await read(checkpointKey(lease, archive))) ?? {});
  const saveCheckpoint = (lease: Lease, checkpoint: Checkpoint) =>
    putFenced(lease.fence, checkpointKey(lease, checkpoint.archive), checkpoint, CHECKPOINT_DAYS);

  return {
    ...openUsage(client, table, now),
    ...openCancellations(client, table, now),

    async job(job: JobName): Promise<JobRecord | undefined> {
      const data = await get(jobKey(job));
      return data === undefined ? undefined : jobRecordSchema.parse(data);
    },

    async acquire(job: JobName, owner: string, until: number): Promise<LeaseAnswer> {
      const key = leaseKey(job);
      const mine = {
        userId: job.userId,
        destination: job.destination,
        jobId: jobId(job),
        owner,
        until,
      };
      try {
        const answer = await client.send(
          new UpdateCommand({
            TableName: table,
            Key: key,
            UpdateExpression: 'SET #owner = :owner, jobId = :jobId, #until = :until ADD fence :one',
            // Our own name there means that the answer to an earlier try was lost.
            ConditionExpression: 'attribute_not_exists(#until) OR #until < :now OR #owner = :owner',
            ExpressionAttributeNames: { '#owner': 'owner', '#until': 'until' },
            ExpressionAttributeValues: {
              ':owner': owner,
              ':jobId': mine.jobId,
              ':until': until,
              ':now': now(),
              ':one': 1,
            },
            ReturnValues: 'ALL_NEW',
          }),
        );
        const { fence } = leaseSchema.parse(answer.Attributes);
        return { held: true, lease: { ...mine, fence } };
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
        const answer = await client.send(
          new GetCommand({ TableName: table, Key: key, ConsistentRead: true }),
        );
        const holder = leaseSchema.parse(answer.Item);
        return { held: false, by: { jobId: holder.jobId, until: holder.until } };
      }
    },

    async assertHeld(lease: Lease): Promise<void> {
      const answer = await client.send(
        new GetCommand({ TableName: table, Key: leaseKey(lease), ConsistentRead: true }),
      );
      if (leaseSchema.parse(answer.Item).fence !== lease.fence) throw leaseLost();
    },

    async release(lease: Lease): Promise<void> {
      await client
        .send(
          new UpdateCommand({
            TableName: table,
            Key: leaseKey(lease),
            UpdateExpression: 'SET #until = :ended',
            ConditionExpression: 'fence = :fence',
            ExpressionAttributeNames: { '#until': 'until' },
            ExpressionAttributeValues: { ':ended': 0, ':fence': lease.fence },
          }),
        )
        .catch((error: unknown) => {
          if (!(error instanceof ConditionalCheckFailedException)) throw error;
        });
    },

    saveJob(job: JobName, record: JobRecord) {
      const { expectedBy, fence } = record;
      const inIndex = expectedBy === undefined ? {} : sweepKeys(job, expectedBy);
      return putFenced(fence, { ...jobKey(job), ...inIndex }, record, HISTORY_DAYS);
    },

    keptSettings: (job: JobName): Promise<unknown> => get(keptSettingsKey(job)),

    keepSettings: (lease: Lease, job: JobName, settings: unknown) =>
      putFenced(lease.fence, keptSettingsKey(job), settings, CHECKPOINT_DAYS),

    checkpoint: async (lease: Lease, archive: StagedArchive) =>
      (await readCheckpoint(lease, archive)).data,

    async beginCheckpoint(lease: Lease, beginning: Checkpoint): Promise<Checkpoint | undefined> {
      const { archive } = beginning;
      const key = checkpointKey(lease, archive);
      // Nearly always there is none, and one request is enough.
      if (await putNew(lease.fence, key, beginning, CHECKPOINT_DAYS)) return undefined;
      const { data, fence = 0 } = await readCheckpoint(lease, archive);
      // Somebody else is at it: what they noted is not ours to go on with.
      if (fence > lease.fence) throw leaseLost();
      if (!data) await saveCheckpoint(lease, beginning);
      return data;
    },

    async *checkpoints(place: Place): AsyncIterable<Checkpoint> {
      const kind = `CHECKPOINT#${place.destination}#`;
      const items = itemsOf(client, table, place.userId, kind, { ConsistentRead: true });
      for await (const { data } of items) {
        const parsed = checkpointSchema.safeParse(data);
        if (parsed.success) yield parsed.data;
      }
    },

    saveCheckpoint,

    removeCheckpoint: (lease: Lease, archive: StagedArchive) =>
      removeFenced(lease.fence, checkpointKey(lease, archive)),

    async deliveredBy(lease: Lease, archive: StagedArchive): Promise<string | undefined> {
      const item = await read(receiptKey(lease, archive));
      if (!item) return undefined;
      const receipt = receiptItemSchema.parse(item);
      const shown = shownItemSchema.safeParse(await read(shownKey(lease, archive))).data;
      // An older receipt says nothing once another content was to take the place.
      const isOutdated = shown && (shown.data.etag !== archive.etag || shown.fence > receipt.fence);
      return isOutdated ? undefined : receipt.data.jobId;
    },

    saveShown: (lease: Lease, { key, etag }: StagedArchive) =>
      putFenced(lease.fence, shownKey(lease, { key }), { etag }, HISTORY_DAYS),

    saveReceipt: (lease: Lease, receipt: Receipt) =>
      putFenced(lease.fence, receiptKey(lease, receipt.archive), receipt, HISTORY_DAYS),
  };
}
