import { CreateTableCommand } from '@aws-sdk/client-dynamodb';
import { DeleteCommand, DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Services, startServices } from '../../local/services.ts';
import { startSettingsFeed } from '../../local/settings-feed.ts';

/** What stands for the stream of a table, against a DynamoDB server. */
let services: Services;
let tables = 0;

beforeAll(async () => {
  services = await startServices();
});
afterAll(() => services[Symbol.asyncDispose]());

describe('a table that feeds a function', () => {
  it('hands over the keys, and only these, of rows that were written, changed and removed', async () => {
    await using feed = await start(() => ({}));
    await feed.put({ id: 'a', secret: 'x' });
    await feed.untilSeen(['INSERT a']);
    await feed.put({ id: 'a', secret: 'y' });
    await feed.untilSeen(['INSERT a', 'MODIFY a']);
    await feed.remove('a');
    await feed.untilSeen(['INSERT a', 'MODIFY a', 'REMOVE a']);
    expect(feed.records[0]).toMatchObject({
      eventSource: 'aws:dynamodb',
      dynamodb: { Keys: { id: { S: 'a' } }, StreamViewType: 'KEYS_ONLY' },
    });
    expect(JSON.stringify(feed.records)).not.toContain('secret');
  });

  it('says nothing of rows that are written again as they were', async () => {
    await using feed = await start(() => ({}));
    await feed.put({ id: 'a' });
    await feed.untilSeen(['INSERT a']);
    await feed.put({ id: 'a' });
    await feed.put({ id: 'b' });
    await feed.untilSeen(['INSERT a', 'INSERT b']);
  });

  it('hands over again what the function reported as failed', async () => {
    let calls = 0;
    await using feed = await start((records) => {
      calls += 1;
      const itemIdentifier = records[0]?.dynamodb?.SequenceNumber;
      return calls === 1 ? { batchItemFailures: [{ itemIdentifier }] } : {};
    });
    await feed.put({ id: 'a' });
    await feed.untilSeen(['INSERT a', 'INSERT a']);
    expect(feed.errors).toEqual([]);
  });

  it('gives up a record after the attempts that the mapping allows, and goes on with the next', async () => {
    await using feed = await start((records) => {
      if (JSON.stringify(records).includes('"bad"')) throw new Error('cannot read it');
      return {};
    });
    await feed.put({ id: 'bad' });
    await vi.waitFor(
      () => expect(feed.errors.at(-1)).toMatch(/Given up after 3 attempts.*bad/),
      60_000,
    );
    await feed.put({ id: 'good' });
    await feed.untilSeen(['INSERT bad', 'INSERT bad', 'INSERT bad', 'INSERT good']);
  });
});

async function start(answer: (records: readonly DynamoDBRecord[]) => unknown) {
  tables += 1;
  const tableName = `rows-${tables}`;
  const documents = DynamoDBDocumentClient.from(services.dynamodb);
  await services.dynamodb.send(
    new CreateTableCommand({
      TableName: tableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
    }),
  );
  const records: DynamoDBRecord[] = [];
  const errors: string[] = [];
  const feed = startSettingsFeed({
    dynamodb: services.dynamodb,
    mapping: {
      tableName,
      keyNames: ['id'],
      streamArn: 'arn:aws:dynamodb:us-east-1:000000000000:table/rows/stream/local',
      functionName: 'probe',
      batchSize: 10,
      retryAttempts: 2,
    },
    invoke: async (event: DynamoDBStreamEvent) => {
      records.push(...event.Records);
      return answer(event.Records);
    },
    onError: (error) => errors.push(error instanceof Error ? error.message : String(error)),
  });
  return {
    records,
    errors,
    put: (row: Record<string, string>) =>
      documents.send(new PutCommand({ TableName: tableName, Item: row })),
    remove: (id: string) =>
      documents.send(new DeleteCommand({ TableName: tableName, Key: { id } })),
    untilSeen: (expected: readonly string[]) =>
      vi.waitFor(() => {
        const seen = records.map(
          ({ eventName, dynamodb }) => `${eventName} ${dynamodb?.Keys?.id?.S}`,
        );
        expect(seen).toEqual(expected);
      }, 60_000),
    [Symbol.asyncDispose]: () => feed.stop(),
  };
}
