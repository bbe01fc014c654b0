import { setTimeout as wait } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { type AttributeValue, type DynamoDBClient, paginateScan } from '@aws-sdk/client-dynamodb';
import type { DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import { z } from 'zod';
import { failedItems } from './batch-response.ts';
import { REGION } from './local-names.ts';
import type { StreamMapping } from './topology.ts';

/** Keys as DynamoDB types them. */
const keys = z.record(
  z.string(),
  z.union([z.object({ S: z.string() }), z.object({ N: z.string() })]),
);

type Row = Record<string, AttributeValue>;

export interface SettingsFeed {
  /** Stops looking and resolves when the invocation under way has ended. */
  stop(): Promise<void>;
}

interface SettingsFeedOptions {
  readonly dynamodb: DynamoDBClient;
  readonly mapping: StreamMapping;
  readonly invoke: (event: DynamoDBStreamEvent) => Promise<unknown>;
  /** Told of invocations that threw and of records that were given up. */
  readonly onError: (error: unknown) => void;
}

const LOOK_EVERY_MS = 500;

/**
 * Stands for a table's stream, which the embedded DynamoDB does not have: compares the rows twice a
 * second, and hands over the keys of those that changed as the stream does, in order, the same record
 * again until it is handled or has been tried too often. Changes between two looks show up as one.
 * https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
 */
export function startSettingsFeed(options: SettingsFeedOptions): SettingsFeed {
  const { mapping, onError } = options;
  const stopping = new AbortController();
  const pending: DynamoDBRecord[] = [];
  let known = new Map<string, Row>();
  let sequence = 0;
  let attempts = 0;

  async function look(): Promise<void> {
    const found = new Map<string, Row>();
    for await (const page of paginateScan(
      { client: options.dynamodb },
      { TableName: mapping.tableName, ConsistentRead: true },
    )) {
      for (const row of page.Items ?? []) found.set(JSON.stringify(keysOf(row)), row);
    }
    for (const [id, row] of found) {
      const before = known.get(id);
      if (!before) note('INSERT', row);
      else if (!isDeepStrictEqual(before, row)) note('MODIFY', row);
    }
    for (const [id, row] of known) if (!found.has(id)) note('REMOVE', row);
    known = found;
  }

  function keysOf(row: Row): z.output<typeof keys> {
    const named = Object.entries(row).filter(([name]) => mapping.keyNames.includes(name));
    return keys.parse(Object.fromEntries(named));
  }

  function note(eventName: 'INSERT' | 'MODIFY' | 'REMOVE', row: Row): void {
    sequence += 1;
    pending.push({
      eventID: String(sequence),
      eventName,
      eventVersion: '1.1',
      eventSource: 'aws:dynamodb',
      awsRegion: REGION,
      eventSourceARN: mapping.streamArn,
      dynamodb: {
        ApproximateCreationDateTime: Math.floor(Date.now() / 1000),
        Keys: keysOf(row),
        SequenceNumber: String(sequence).padStart(21, '0'),
        StreamViewType: 'KEYS_ONLY',
      },
    });
  }

  async function handOver(): Promise<void> {
    while (pending.length > 0 && !stopping.signal.aborted) {
      const batch = pending.slice(0, mapping.batchSize);
      const handled = await invoke(batch);
      pending.splice(0, handled);
      attempts = handled > 0 ? 0 : attempts + 1;
      if (attempts > mapping.retryAttempts) {
        onError(new Error(`Given up after ${attempts} attempts: ${keyText(pending.shift())}`));
        attempts = 0;
      }
      if (handled < batch.length) return;
    }
  }

  /** How many records from the start of the batch are done. */
  async function invoke(batch: DynamoDBRecord[]): Promise<number> {
    try {
      const answer = await options.invoke({ Records: batch });
      const failed = failedItems(answer, new Set(batch.map(sequenceNumber)));
      const first = batch.findIndex((record) => failed.has(sequenceNumber(record)));
      return first < 0 ? batch.length : first;
    } catch (error) {
      onError(error);
      return 0;
    }
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        await look();
        await handOver();
      } catch (error) {
        onError(error);
      }
      await wait(LOOK_EVERY_MS, undefined, { signal: stopping.signal }).catch(() => {});
    }
  }

  const running = run();
  return {
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

function sequenceNumber(record: DynamoDBRecord): string {
  return record.dynamodb?.SequenceNumber ?? '';
}

function keyText(record: DynamoDBRecord | undefined): string {
  return JSON.stringify(record?.dynamodb?.Keys);
}
