import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import type { SQSEvent } from 'aws-lambda';
import { buildApp } from 'fauxqs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type EventSource, startEventSource } from '../../local/event-source.ts';
import { LambdaFunction } from '../../local/lambda-function.ts';

/**
 * The poller against an SQS server, with worker processes of their own. The message says what the
 * function does; what it saw is told by its log.
 */
const FUNCTION = `
  let handled = 0;
  export async function handler(event, context) {
    handled += 1;
    for (const record of event.Records) {
      console.log(JSON.stringify({ seen: record, pid: process.pid, handled,
        remaining: context.getRemainingTimeInMillis() }));
      if (record.body === 'fail') return { batchItemFailures: [{ itemIdentifier: record.messageId }] };
      if (record.body === 'fail once' && record.attributes.ApproximateReceiveCount === '1')
        return { batchItemFailures: [{ itemIdentifier: record.messageId }] };
      if (record.body === 'wrong name') return { batchItemFailures: [{ id: record.messageId }] };
      if (record.body === 'throw') throw new Error('the handler threw');
      if (record.body === 'hang once' && record.attributes.ApproximateReceiveCount === '1')
        await new Promise(() => setInterval(() => {}, 1000));
      if (record.body === 'crash once' && record.attributes.ApproximateReceiveCount === '1')
        process.exit(7);
      if (record.body === 'slow') await new Promise((resolve) => setTimeout(resolve, 400));
    }
    console.log(JSON.stringify({ done: event.Records[0].messageId }));
  }
`;
const REGION = 'eu-central-1';
const MAX_RECEIVE_COUNT = 3;

interface Seen {
  body: string;
  messageId: string;
  attributes: Record<string, string>;
  pid: number;
  remaining: number;
}

let folder: string;
let server: ReturnType<typeof buildApp>;
let client: SQSClient;
let queues = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ferry-event-source-'));
  await writeFile(join(folder, 'index.mjs'), FUNCTION);
  server = buildApp({ logger: false });
  client = new SQSClient({
    endpoint: await server.listen({ port: 0, host: '127.0.0.1' }),
    region: REGION,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
});

afterAll(async () => {
  client.destroy();
  await server.close();
  await rm(folder, { recursive: true });
});

describe('a queue behind the event source', () => {
  it('deletes what the function handled', async () => {
    await using run = await start({});
    await run.send('fine');
    await run.untilSettled();
    expect(run.seen.map((message) => message.body)).toEqual(['fine']);
    expect(await run.deadLetters()).toEqual([]);
  });

  it('hands over a record as Lambda does', async () => {
    await using run = await start({});
    await run.send('fine');
    await run.untilSettled();
    expect(run.seen[0]).toMatchObject({
      messageId: expect.any(String),
      receiptHandle: expect.any(String),
      body: 'fine',
      attributes: {
        ApproximateReceiveCount: '1',
        SentTimestamp: expect.stringMatching(/^\d{13}$/),
        SenderId: expect.any(String),
        ApproximateFirstReceiveTimestamp: expect.stringMatching(/^\d{13}$/),
      },
      messageAttributes: { origin: { dataType: 'String', stringValue: 'test' } },
      md5OfBody: expect.stringMatching(/^[0-9a-f]{32}$/),
      eventSource: 'aws:sqs',
      eventSourceARN: run.arn,
      awsRegion: REGION,
    });
  });

  it('leaves a failed message on the queue, which gives it again with receive count 2', async () => {
    await using run = await start({});
    await run.send('fail once');
    await run.untilSettled();
    expect(run.seen.map((message) => message.attributes.ApproximateReceiveCount)).toEqual([
      '1',
      '2',
    ]);
    expect(await run.deadLetters()).toEqual([]);
  });

  it.each(['fail', 'throw', 'wrong name'])(
    'moves a message that always ends in "%s" to the dead-letter queue',
    async (body) => {
      await using run = await start({});
      await run.send(body);
      await run.untilSettled();
      expect(run.seen).toHaveLength(MAX_RECEIVE_COUNT);
      expect(await run.deadLetters()).toEqual([body]);
    },
  );

  it('never has more invocations under way than the bound', async () => {
    await using run = await start({ maximumConcurrency: 2 });
    await Promise.all(Array.from({ length: 7 }, () => run.send('slow')));
    await run.untilSettled();
    expect(run.seen).toHaveLength(7);
    expect(run.mostAtOnce()).toBe(2);
  });

  it('keeps its worker processes and uses them again', async () => {
    await using run = await start({ maximumConcurrency: 1 });
    await run.send('fine');
    await run.send('throw');
    await run.send('fine');
    await run.untilSettled();
    expect(new Set(run.seen.map((message) => message.pid)).size).toBe(1);
  });

  it('kills a worker at the timeout of the function, and the message comes back', async () => {
    await using run = await start({ timeoutSeconds: 3 });
    await run.send('hang once');
    await run.untilSettled();
    const [first, second] = run.seen;
    expect(first?.remaining).toBeGreaterThan(500);
    expect(first?.remaining).toBeLessThanOrEqual(3000);
    expect(second?.attributes.ApproximateReceiveCount).toBe('2');
    expect(second?.pid).not.toBe(first?.pid);
    expect(isRunning(first?.pid)).toBe(false);
    expect(run.errors).toEqual(['Task timed out after 3 seconds']);
  });

  it('replaces a worker that crashed, and the message comes back', async () => {
    await using run = await start({});
    await run.send('crash once');
    await run.untilSettled();
    const [first, second] = run.seen;
    expect(second?.attributes.ApproximateReceiveCount).toBe('2');
    expect(second?.pid).not.toBe(first?.pid);
    expect(run.errors).toEqual([expect.stringContaining('exit code 7')]);
  });

  it('lets the invocations under way end when it is stopped', async () => {
    const run = await start({});
    await run.send('slow');
    await vi.waitFor(() => expect(run.seen).toHaveLength(1), 60_000);
    await run.source.stop();
    expect(await run.depth()).toBe(0);
    await run[Symbol.asyncDispose]();
    expect(isRunning(run.seen[0]?.pid)).toBe(false);
  });
});

async function start(bounds: { maximumConcurrency?: number; timeoutSeconds?: number }) {
  queues += 1;
  const deadLetterUrl = await createQueue(`dead-${queues}`, {});
  const queueUrl = await createQueue(`jobs-${queues}`, {
    // So long that a machine which is slow to start a worker sees nothing twice.
    VisibilityTimeout: '600',
    RedrivePolicy: JSON.stringify({
      deadLetterTargetArn: await arnOf(deadLetterUrl),
      maxReceiveCount: MAX_RECEIVE_COUNT,
    }),
  });
  const arn = await arnOf(queueUrl);
  const seen: Seen[] = [];
  const errors: string[] = [];
  let atOnce = 0;
  let most = 0;
  const worker = new LambdaFunction(
    {
      name: 'probe',
      arn: `arn:aws:lambda:${REGION}:000000000000:function:probe`,
      bundle: join(folder, 'index.mjs'),
      handler: 'index.handler',
      timeoutSeconds: bounds.timeoutSeconds ?? 10,
      memoryMiB: 256,
      environment: {},
      region: REGION,
    },
    (text) => {
      const line = JSON.parse(text);
      if (line.seen) seen.push({ ...line, ...line.seen });
    },
  );
  const source: EventSource = startEventSource({
    client,
    mapping: {
      queueUrl,
      queueArn: arn,
      region: REGION,
      batchSize: 1,
      maximumConcurrency: bounds.maximumConcurrency ?? 2,
      reportBatchItemFailures: true,
    },
    invoke: async (event) => {
      atOnce += 1;
      most = Math.max(most, atOnce);
      const ended = worker.invoke(event).finally(() => {
        atOnce -= 1;
      });
      const failed = await ended.then(Boolean, () => true);
      if (failed) await showAgain(queueUrl, event);
      return await ended;
    },
    onError: (error) => errors.push(error instanceof Error ? error.message : String(error)),
  });
  const depth = async () => {
    const names = [
      'ApproximateNumberOfMessages',
      'ApproximateNumberOfMessagesNotVisible',
      'ApproximateNumberOfMessagesDelayed',
    ] as const;
    const { Attributes = {} } = await client.send(
      new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: [...names] }),
    );
    return names.reduce((sum, name) => sum + Number(Attributes[name]), 0);
  };
  return {
    arn,
    seen,
    errors,
    source,
    depth,
    mostAtOnce: () => most,
    async send(body: string) {
      await client.send(
        new SendMessageCommand({
          QueueUrl: queueUrl,
          MessageBody: body,
          MessageAttributes: { origin: { DataType: 'String', StringValue: 'test' } },
        }),
      );
    },
    untilSettled: () =>
      vi.waitFor(async () => expect(await depth()).toBe(0), { timeout: 100_000, interval: 50 }),
    async deadLetters() {
      const answer = await client.send(
        new ReceiveMessageCommand({ QueueUrl: deadLetterUrl, MaxNumberOfMessages: 10 }),
      );
      return (answer.Messages ?? []).map((message) => message.Body);
    },
    async [Symbol.asyncDispose]() {
      await source.stop();
      await worker.stop();
    },
  };
}

/** What happens when the visibility timeout of what an invocation was given ends. */
async function showAgain(queueUrl: string, { Records }: SQSEvent): Promise<void> {
  for (const { receiptHandle } of Records) {
    const shown = { QueueUrl: queueUrl, ReceiptHandle: receiptHandle, VisibilityTimeout: 0 };
    await client.send(new ChangeMessageVisibilityCommand(shown));
  }
}

async function createQueue(name: string, attributes: Record<string, string>): Promise<string> {
  const answer = await client.send(
    new CreateQueueCommand({ QueueName: name, Attributes: attributes }),
  );
  return answer.QueueUrl ?? '';
}

async function arnOf(queueUrl: string): Promise<string> {
  const answer = await client.send(
    new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ['QueueArn'] }),
  );
  return answer.Attributes?.QueueArn ?? '';
}

function isRunning(pid: number | undefined): boolean {
  if (pid === undefined) throw new Error('There is no process to look for.');
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
