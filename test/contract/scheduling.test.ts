import { GetCommand, NumberValue, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readMessage } from '../../functions/queue/message.ts';
import { type EventBus, startEventBus } from '../../local/event-bus.ts';
import { type KeyService, startKeyService } from '../../local/key-service.ts';
import { type EmbeddedDynamoDb, startDynamoDb } from '../servers/embedded-dynamodb.ts';
import { type EmbeddedSqs, startSqs } from '../servers/embedded-sqs.ts';
import { type Handler, invocation } from './lambda-context.ts';

const SECRETS_KEY = 'arn:aws:kms:eu-central-1:000000000000:key/secrets';

let dynamo: EmbeddedDynamoDb;
let sqs: EmbeddedSqs;
let keys: KeyService;
let bus: EventBus;
let url: string;
let settingsChanged: Handler;
let enqueueDue: Handler;

beforeAll(async () => {
  [dynamo, sqs, keys, bus] = await Promise.all([
    startDynamoDb(),
    startSqs(),
    startKeyService(),
    startEventBus(),
  ]);
  keys.add(SECRETS_KEY);
  url = await sqs.createQueue('jobs');
  const environment = {
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_ENDPOINT_URL_DYNAMODB: dynamo.endpoint,
    AWS_ENDPOINT_URL_SQS: sqs.endpoint,
    AWS_ENDPOINT_URL_KMS: keys.url,
    AWS_ENDPOINT_URL_EVENTBRIDGE: bus.url,
    SECRETS_KEY,
    SETTINGS_TABLE: dynamo.settingsTable,
    RUNS_TABLE: dynamo.runsTable,
    JOBS_QUEUE_URL: url,
    DUE_SHARDS: '4',
    SPREAD_MINUTES: '60',
  };
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  ({ handler: settingsChanged } = await import('../../functions/settings-changed/handler.ts'));
  ({ handler: enqueueDue } = await import('../../functions/enqueue-due/handler.ts'));
});
afterAll(async () => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  await Promise.all([
    dynamo.stop(),
    sqs.stop(),
    keys[Symbol.asyncDispose](),
    bus[Symbol.asyncDispose](),
  ]);
});

const context = invocation(55_000);

const TableName = 'settings';
const settings = { SSH_HOST_NAME: 'nas.example.org', SSH_USER: 'ada', SSH_PASSWORD: 'tr0ub4dor' };
const put = (userId: string, spec: object) =>
  dynamo.documents.send(new PutCommand({ TableName, Item: { userId, spec } }));
const row = async (userId: string) =>
  (await dynamo.documents.send(new GetCommand({ TableName, Key: { userId } }))).Item;
const changed = (...users: string[]) => ({
  Records: users.map((userId, n) => ({
    eventName: 'MODIFY',
    dynamodb: { Keys: { userId: { S: userId } }, SequenceNumber: `${100 + n}` },
  })),
});

describe('from a settings row to a job on the queue', () => {
  it('a row is checked, planned, and enqueued once when its time has come', async () => {
    await put('ada', { v: 1, destinations: { nas: { type: 'nowhere', settings } } });
    expect(await settingsChanged(changed('ada'), context)).toEqual({ batchItemFailures: [] });
    expect(await row('ada')).toMatchObject({
      status: { state: 'invalid', problems: [{ path: 'spec.destinations.nas.type' }] },
    });
    expect(bus.events).toMatchObject([
      { source: 'ferry', type: 'Settings refused', detail: { v: 1, userId: 'ada' } },
    ]);

    await dynamo.documents.send(
      new UpdateCommand({
        TableName,
        Key: { userId: 'ada' },
        UpdateExpression: 'SET spec.destinations.nas.#type = :ssh, spec.#backUp = :some',
        ExpressionAttributeNames: { '#type': 'type', '#backUp': 'backUp' },
        ExpressionAttributeValues: { ':ssh': 'ssh', ':some': ['html'] },
      }),
    );
    await settingsChanged(changed('ada', 'ada', 'never-was'), context);
    const planned = await row('ada');
    expect(planned).toMatchObject({ status: { state: 'valid', nextRun: planned?.dueAt } });

    const scheduledTime = String(planned?.dueAt);
    await enqueueDue({ scheduledTime: new Date().toISOString() }, context);
    expect(await sqs.drain(url)).toEqual([]);
    await enqueueDue({ scheduledTime }, context);
    await enqueueDue({ scheduledTime }, context);
    const messages = await sqs.drain(url);
    expect(messages.map(({ Body = '' }) => readMessage(Body))).toEqual([
      { userId: 'ada', slot: scheduledTime, destination: 'nas', hop: 0 },
    ]);
    const moved = await row('ada');
    expect(Date.parse(moved?.dueAt) - Date.parse(scheduledTime)).toBe(24 * 3_600_000);
    expect(moved).toMatchObject({ status: { nextRun: moved?.dueAt } });

    await settingsChanged(changed('ada'), context);
    expect(await row('ada')).toEqual(moved);
  });

  it('a number that JavaScript cannot hold is a setting like any other', async () => {
    const digits = NumberValue.from('12345678901234567890.5');
    const withNumber = { ...settings, SSH_PASSWORD: digits };
    await put('bob', { v: 1, destinations: { nas: { type: 'ssh', settings: withNumber } } });
    expect(await settingsChanged(changed('bob'), context)).toEqual({ batchItemFailures: [] });
    expect(await row('bob')).toMatchObject({ status: { state: 'valid' } });
  });

  it('a row whose check failed is named in the answer, to be tried again', async () => {
    await put('bob', { v: 1, destinations: { nas: { type: 'ssh', settings } } });
    // An empty key is refused by the table.
    expect(await settingsChanged(changed('bob', ''), context)).toEqual({
      batchItemFailures: [{ itemIdentifier: '101' }],
    });
    expect(await row('bob')).toMatchObject({ status: { state: 'valid' } });
  });

  it.each([{}, { scheduledTime: 'now' }, { scheduledTime: '2026-11-22T03:00:00Z', more: 1 }])(
    'the tick refuses the event %j',
    async (event) => {
      await expect(enqueueDue(event, context)).rejects.toThrow();
    },
  );
});
