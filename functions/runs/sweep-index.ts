import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, paginateQuery, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import type { JobName } from '../core/job.ts';
import type { JobRecord } from '../core/job-record.ts';
import { jobKey, RUNS_KEYS, readJobKey, SWEEP_INDEX, sweepShards } from './keys.ts';

/** Jobs of one page of the index, all of which are handled at once. */
const PAGE = 50;

const indexed = z.object({
  [RUNS_KEYS.partitionKey]: z.string(),
  [RUNS_KEYS.sortKey]: z.string(),
});

/** The jobs of the runs table that somebody is to carry on, in the order in which they are missed. */
export function openSweepIndex(client: DynamoDBDocumentClient, table: string) {
  return {
    shards: sweepShards,

    /**
     * Jobs of one shard that were expected before an instant (ISO 8601 UTC), longest first, by pages.
     * The index may lag behind the records.
     */
    async *overdue(shard: string, before: string): AsyncIterable<readonly JobName[]> {
      const pages = paginateQuery(
        { client, pageSize: PAGE },
        {
          TableName: table,
          IndexName: SWEEP_INDEX.name,
          KeyConditionExpression: '#shard = :shard AND #at < :before',
          ExpressionAttributeNames: {
            '#shard': SWEEP_INDEX.partitionKey,
            '#at': SWEEP_INDEX.sortKey,
          },
          ExpressionAttributeValues: { ':shard': shard, ':before': before },
        },
      );
      for await (const { Items = [] } of pages) {
        yield Items.map((item) => readJobKey(indexed.parse(item)));
      }
    },

    /** Notes that a job was swept. False, and nothing written, where it is not expected as `seen` any more. */
    async moveOn(job: JobName, seen: JobRecord, swept: JobRecord): Promise<boolean> {
      try {
        await client.send(
          new UpdateCommand({
            TableName: table,
            Key: jobKey(job),
            UpdateExpression: 'SET #at = :by, #data.expectedBy = :by, #data.sweeps = :sweeps',
            ConditionExpression: '#at = :seen',
            ExpressionAttributeNames: { '#at': SWEEP_INDEX.sortKey, '#data': 'data' },
            ExpressionAttributeValues: {
              ':by': swept.expectedBy,
              ':sweeps': swept.sweeps,
              ':seen': seen.expectedBy,
            },
          }),
        );
        return true;
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return false;
        throw error;
      }
    },
  };
}
