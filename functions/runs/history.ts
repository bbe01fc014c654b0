import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { type JobName, readJobId } from '../core/job.ts';
import type { JobRecord } from '../core/job-record.ts';
import type { Receipt } from '../core/receipt.ts';
import { itemsOf } from './partition.ts';
import { jobRecordSchema, leaseSchema, receiptSchema } from './schema.ts';

/** A job and how it stands. */
export interface KnownJob {
  readonly job: JobName;
  readonly record: JobRecord;
}

const NEWEST_FIRST = { ScanIndexForward: false };

const written = z.object({ data: z.unknown() });

/** What the runs table tells people of one user; nothing here writes. */
export function openHistory(client: DynamoDBDocumentClient, table: string) {
  return {
    /** Jobs of a user, newest slot first. */
    async *jobs(userId: string): AsyncIterable<KnownJob> {
      for await (const item of itemsOf(client, table, userId, 'JOB#', NEWEST_FIRST)) {
        const record = jobRecordSchema.parse(written.parse(item).data);
        yield { job: readJobId(record.jobId), record };
      }
    },

    /** The job that has or last had each destination, and until when its worker may live (epoch ms). */
    async *holders(userId: string): AsyncIterable<{ job: JobName; until: number }> {
      for await (const item of itemsOf(client, table, userId, 'LEASE#')) {
        const { jobId, until } = leaseSchema.parse(item);
        yield { job: readJobId(jobId), until };
      }
    },

    /** Receipts of a user, of one destination or all, in no order that means anything. */
    async *receipts(userId: string, destination?: string): AsyncIterable<Receipt> {
      const kind = destination === undefined ? 'RECEIPT#' : `RECEIPT#${destination}#`;
      for await (const item of itemsOf(client, table, userId, kind)) {
        yield receiptSchema.parse(written.parse(item).data);
      }
    },
  };
}
