import { once } from 'node:events';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, QueryCommand } from '@aws-sdk/lib-dynamodb';
import dynalite from 'dynalite';
import { RUNS_KEYS, SWEEP_INDEX } from '../../functions/runs/keys.ts';
import { DUE_INDEX, SETTINGS_KEY } from '../../functions/settings/keys.ts';

export interface EmbeddedDynamoDb {
  readonly endpoint: string;
  readonly documents: DynamoDBDocumentClient;
  readonly settingsTable: string;
  readonly runsTable: string;
  /** Sort keys of all items that the runs table holds for a user. */
  itemsOf(userId: string): Promise<string[]>;
  stop(): Promise<void>;
}

/** DynamoDB in this process (dynalite) on a free loopback port, with both of Ferry's tables, empty. */
export async function startDynamoDb(): Promise<EmbeddedDynamoDb> {
  const server = dynalite({ createTableMs: 0 }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('dynalite has no port');
  const endpoint = `http://127.0.0.1:${address.port}`;
  const client = new DynamoDBClient({
    endpoint,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  const documents = DynamoDBDocumentClient.from(client, {
    marshallOptions: { removeUndefinedValues: true },
    unmarshallOptions: { wrapNumbers: Number },
  });
  const settingsTable = 'settings';
  const runsTable = 'runs';
  const text = (AttributeName: string) => ({ AttributeName, AttributeType: 'S' }) as const;
  const hash = (AttributeName: string) => ({ AttributeName, KeyType: 'HASH' }) as const;
  const range = (AttributeName: string) => ({ AttributeName, KeyType: 'RANGE' }) as const;
  await client.send(
    new CreateTableCommand({
      TableName: settingsTable,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [hash(SETTINGS_KEY)],
      AttributeDefinitions: [SETTINGS_KEY, DUE_INDEX.partitionKey, DUE_INDEX.sortKey].map(text),
      GlobalSecondaryIndexes: [
        {
          IndexName: DUE_INDEX.name,
          KeySchema: [hash(DUE_INDEX.partitionKey), range(DUE_INDEX.sortKey)],
          Projection: { ProjectionType: 'KEYS_ONLY' },
        },
      ],
    }),
  );
  await client.send(
    new CreateTableCommand({
      TableName: runsTable,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [hash(RUNS_KEYS.partitionKey), range(RUNS_KEYS.sortKey)],
      AttributeDefinitions: [
        ...[RUNS_KEYS.partitionKey, RUNS_KEYS.sortKey],
        ...[SWEEP_INDEX.partitionKey, SWEEP_INDEX.sortKey],
      ].map(text),
      GlobalSecondaryIndexes: [
        {
          IndexName: SWEEP_INDEX.name,
          KeySchema: [hash(SWEEP_INDEX.partitionKey), range(SWEEP_INDEX.sortKey)],
          Projection: { ProjectionType: 'KEYS_ONLY' },
        },
      ],
    }),
  );
  return {
    endpoint,
    documents,
    settingsTable,
    runsTable,
    async itemsOf(userId) {
      const answer = await documents.send(
        new QueryCommand({
          TableName: runsTable,
          KeyConditionExpression: 'pk = :user',
          ExpressionAttributeValues: { ':user': `USER#${userId}` },
        }),
      );
      return (answer.Items ?? []).map((item) => String(item[RUNS_KEYS.sortKey]));
    },
    async stop() {
      client.destroy();
      server.close();
      server.closeAllConnections();
    },
  };
}
