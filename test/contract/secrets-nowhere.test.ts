import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { PutCommand, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import type { Job } from '../../functions/core/job.ts';
import { writeMessage } from '../../functions/queue/message.ts';
import { type EventBus, startEventBus } from '../../local/event-bus.ts';
import { type KeyService, startKeyService } from '../../local/key-service.ts';
import { writePolicy } from '../../local/operator-policy.ts';
import { type EmbeddedDynamoDb, startDynamoDb } from '../servers/embedded-dynamodb.ts';
import { startEmbeddedS3 } from '../servers/embedded-s3.ts';
import { type EmbeddedSqs, startSqs } from '../servers/embedded-sqs.ts';
import { type React, startFront } from '../servers/http-front.ts';
import type { S3Server } from '../servers/s3-server.ts';
import { after, echo } from './echo.ts';
import { type Handler, invocation } from './lambda-context.ts';
import { MARKED_PLACES } from './marked-places.ts';
import { everythingIn, formsIn } from './marks.ts';
import { sampleBytes } from './sample.ts';

const SECRETS_KEY = 'arn:aws:kms:eu-central-1:000000000000:key/secrets';
const BUCKET = 'staging';
/** Shorter than the tries of a transfer, and longer than a tick wants to have left. */
const INVOCATION_MS = {
  transfer: 15_000,
  check: 30_000,
  settingsChanged: 55_000,
  enqueueDue: 55_000,
};
/** More than one part, so that there are checkpoints; the embedded S3 takes no more in one request. */
const ARCHIVE = sampleBytes(10 * 1024 * 1024 + 1, 'marked archive');

let dynamo: EmbeddedDynamoDb;
let sqs: EmbeddedSqs;
let staging: S3Server;
let s3: S3Client;
let keys: KeyService;
let bus: EventBus;
let queueUrl: string;
let functions: Readonly<Record<'settingsChanged' | 'transfer' | 'check' | 'enqueueDue', Handler>>;
/** Everything that functions wrote to their logs, metrics among it. */
const output: string[] = [];

beforeAll(async () => {
  [dynamo, sqs, staging, keys, bus] = await Promise.all([
    startDynamoDb(),
    startSqs(),
    startEmbeddedS3(),
    startKeyService(),
    startEventBus(),
  ]);
  keys.add(SECRETS_KEY);
  queueUrl = await sqs.createQueue('jobs');
  await staging.createBucket(BUCKET);
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  s3 = new S3Client({
    endpoint: staging.endpoint,
    region: staging.region,
    credentials,
    forcePathStyle: true,
  });
  const environment = {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_ENDPOINT_URL_DYNAMODB: dynamo.endpoint,
    AWS_ENDPOINT_URL_SQS: sqs.endpoint,
    AWS_ENDPOINT_URL_S3: staging.endpoint,
    AWS_ENDPOINT_URL_KMS: keys.url,
    AWS_ENDPOINT_URL_EVENTBRIDGE: bus.url,
    AWS_LAMBDA_LOG_LEVEL: 'DEBUG',
    SETTINGS_TABLE: dynamo.settingsTable,
    RUNS_TABLE: dynamo.runsTable,
    STAGING_BUCKET: BUCKET,
    JOBS_QUEUE_URL: queueUrl,
    SECRETS_KEY,
    MAX_RECEIVE_COUNT: '8',
    IN_FLIGHT_MIB: '16',
    DUE_SHARDS: '1',
    SPREAD_MINUTES: '0',
    ROLE_ENDPOINTS: '',
  };
  await writePolicy({ dynamodb: dynamo.documents, name: dynamo.settingsTable });
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, 'write').mockImplementation((chunk) => output.push(String(chunk)) > 0);
  }
  functions = {
    settingsChanged: (await import('../../functions/settings-changed/handler.ts')).handler,
    transfer: (await import('../../functions/transfer/handler.ts')).handler,
    check: (await import('../../functions/check/handler.ts')).handler,
    enqueueDue: (await import('../../functions/enqueue-due/handler.ts')).handler,
  };
});
afterAll(async () => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  s3.destroy();
  await Promise.all([
    dynamo.stop(),
    sqs.stop(),
    staging.stop(),
    keys[Symbol.asyncDispose](),
    bus[Symbol.asyncDispose](),
  ]);
});

const rowSchema = z.object({
  status: z.object({
    state: z.string(),
    destinations: z
      .record(z.string(), z.object({ lastRun: z.object({ outcome: z.string() }) }))
      .optional(),
  }),
});
const scan = async (TableName: string) =>
  (await dynamo.documents.send(new ScanCommand({ TableName }))).Items ?? [];
const rowOf = async (userId: string) =>
  (await scan(dynamo.settingsTable)).find((row) => row.userId === userId);

describe.each(Object.entries(MARKED_PLACES))('a user of %s', (name, start) => {
  const userId = name.toLowerCase().replaceAll(' ', '-');

  it('finds no secret in logs, metrics, rows, records, checkpoints, receipts, messages, events and answers', async () => {
    const place = await start();
    const front = await startFront(place.origin);
    const answers: unknown[] = [];
    const call = async (which: keyof typeof functions, event: unknown) => {
      const context = invocation(INVOCATION_MS[which]);
      const answer = await functions[which](event, context).catch((error: unknown) => error);
      answers.push(answer);
      return answer;
    };
    const run = async (slot: string, react: React) => {
      front.react(react);
      const job: Job = { userId, slot, destination: 'place', hop: 0 };
      const attributes = { ApproximateReceiveCount: '8' };
      const message = { messageId: slot, receiptHandle: slot, body: writeMessage(job), attributes };
      await call('transfer', { Records: [message] });
      await call('check', { v: 1, userId });
      return rowSchema.parse(await rowOf(userId)).status.destinations?.place?.lastRun.outcome;
    };
    try {
      const destinations = {
        place: { type: place.type, settings: place.settingsAt(front.endpoint) },
      };
      const Item = { userId, spec: { v: 1, schedule: { cron: '* * * * *' }, destinations } };
      await dynamo.documents.send(new PutCommand({ TableName: dynamo.settingsTable, Item }));
      const Keys = { userId: { S: userId } };
      const changed = { Records: [{ dynamodb: { Keys, SequenceNumber: '1' } }] };
      await call('settingsChanged', changed);
      expect(rowSchema.parse(await rowOf(userId)).status.state).toBe('valid');
      const Key = `${userId}/html/site.tar`;
      await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: ARCHIVE }));

      const refused = await run('2026-11-22T00:01:00Z', (seen, sent) => echo(seen, sent, 403));
      expect(refused).toBe('failed');
      const broken = after(3, (seen, sent) => echo(seen, sent, 500));
      await run('2026-11-22T00:02:00Z', broken);
      const well = await run('2026-11-22T00:03:00Z', () => undefined);
      expect(['succeeded', 'skipped']).toContain(well);
      const tomorrow = new Date(Date.now() + 24 * 3_600_000).toISOString();
      await call('enqueueDue', { scheduledTime: tomorrow });

      const messages = await sqs.drain(queueUrl);
      expect(messages.length).toBeGreaterThan(0);
      const runs = (await scan(dynamo.runsTable)).filter(({ pk }) => pk === `USER#${userId}`);
      expect(runs.map(({ sk }) => String(sk).split('#')[0])).toContain('RECEIPT');
      const { events } = bus;
      expect(events.map(({ type }) => type)).toContain('Run failed');
      const kept = { messages, runs, row: await rowOf(userId), calls: keys.calls };
      const told = { ...kept, answers, output, events };
      const shown = Object.entries(told).map(([where, what]) => [
        where,
        formsIn(everythingIn(what), place.marks()),
      ]);
      expect(shown.filter(([, found]) => found?.length !== 0)).toEqual([]);
      expect(output.join('')).toContain('"Runs"');
    } finally {
      await front.stop();
      await place.stop();
    }
  });
});
