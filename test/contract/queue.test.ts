import { once } from 'node:events';
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import type { Job } from '../../functions/core/job.ts';
import { openJobQueue } from '../../functions/queue/job-queue.ts';
import { readMessage } from '../../functions/queue/message.ts';
import { type EmbeddedSqs, startSqs } from '../servers/embedded-sqs.ts';

let sqs: EmbeddedSqs;
let url: string;
let queues = 0;

beforeAll(async () => {
  sqs = await startSqs();
});
afterAll(() => sqs.stop());
beforeEach(async () => {
  queues += 1;
  url = await sqs.createQueue(`jobs-${queues}`);
});

const jobs = (count: number): Job[] =>
  Array.from({ length: count }, (_, n) => ({
    userId: `user-${n}`,
    slot: '2026-11-22T03:00:00Z',
    destination: 'nas',
    hop: 0,
  }));

const byUser = (a: Job, b: Job) => a.userId.localeCompare(b.userId, 'en', { numeric: true });

async function jobsOnQueue(): Promise<Job[]> {
  const messages = await sqs.drain(url);
  return messages.map(({ Body = '' }) => readMessage(Body)).sort(byUser);
}

async function receive() {
  const { Messages = [] } = await sqs.client.send(
    new ReceiveMessageCommand({ QueueUrl: url, WaitTimeSeconds: 3 }),
  );
  return Messages.map(({ Body = '', ReceiptHandle = '' }) => ({ Body, ReceiptHandle }));
}

describe('the job queue', () => {
  it.each([0, 1, 10, 11, 25])('takes %i jobs, whatever the size of a batch', async (count) => {
    expect(await openJobQueue(sqs.client, url).send(jobs(count))).toEqual([]);
    expect(await jobsOnQueue()).toEqual(jobs(count));
  });

  it('takes the next hop of a job', async () => {
    const next: Job = { userId: 'ada', slot: '2026-11-22T03:00:00Z', destination: 'nas', hop: 7 };
    await openJobQueue(sqs.client, url).sendContinuation(next);
    expect(await jobsOnQueue()).toEqual([next]);
  });

  it('hides a received message for as long as is asked', async () => {
    const queue = openJobQueue(sqs.client, url);
    await queue.send(jobs(1));
    const [first] = await receive();
    await queue.delay(first?.ReceiptHandle ?? '', 1);
    expect(await receive()).toHaveLength(1);
  });

  it.each([
    [-5, 'at once'],
    [1e9, 'as late as SQS allows'],
  ])('cuts a delay of %d s to what SQS takes: %s', async (seconds) => {
    const queue = openJobQueue(sqs.client, url);
    await queue.send(jobs(1));
    const [first] = await receive();
    await queue.delay(first?.ReceiptHandle ?? '', seconds);
    expect(await receive()).toHaveLength(seconds < 0 ? 1 : 0);
  });
});

describe('a queue that does not take everything', () => {
  it('gives back the jobs that the answer refuses or leaves out', async () => {
    const queue = await answering((entries) => ({
      status: 200,
      body: {
        Successful: entries
          .slice(2)
          .map(({ Id }) => ({ Id, MessageId: 'm', MD5OfMessageBody: '' })),
        Failed: [
          { Id: entries[0]?.Id, Code: 'InternalError', Message: 'try later', SenderFault: false },
        ],
      },
    }));
    const unsent = await queue.send(jobs(4));
    expect(unsent.map(({ job, code }) => [job.userId, code])).toEqual([
      ['user-0', 'InternalError'],
      ['user-1', 'no answer'],
    ]);
  });

  it('gives back the jobs of a batch that failed as a whole, and sends the others', async () => {
    const queue = await answering((entries) =>
      entries[0]?.MessageGroupId === 'user-10'
        ? {
            status: 400,
            body: { __type: 'com.amazonaws.sqs#RequestThrottled', message: 'slow down' },
          }
        : {
            status: 200,
            body: {
              Successful: entries.map(({ Id }) => ({ Id, MessageId: 'm', MD5OfMessageBody: '' })),
            },
          },
    );
    const unsent = await queue.send(jobs(25));
    expect(unsent.map(({ job }) => job.userId)).toEqual(
      jobs(20)
        .slice(10)
        .map(({ userId }) => userId),
    );
    expect(unsent[0]).toMatchObject({ code: 'RequestThrottled', message: 'slow down' });
  });

  it('is told the user as message group, so that it can be fair', async () => {
    const groups: string[] = [];
    const queue = await answering((entries) => {
      groups.push(...entries.map(({ MessageGroupId }) => MessageGroupId));
      return { status: 200, body: {} };
    });
    await queue.send(jobs(2));
    expect(groups).toEqual(['user-0', 'user-1']);
  });
});

const batch = z.object({
  Entries: z.array(z.object({ Id: z.string(), MessageGroupId: z.string() })),
});
type Entries = z.output<typeof batch>['Entries'];

/** A job queue at a server that answers batches as the test wants. */
async function answering(answer: (entries: Entries) => { status: number; body: unknown }) {
  const server = createServer(async (request, response) => {
    const { status, body } = answer(batch.parse(await json(request)).Entries);
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' });
    response.end(JSON.stringify(body));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  const endpoint = `http://127.0.0.1:${address.port}`;
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const client = new SQSClient({
    endpoint,
    region: 'eu-central-1',
    credentials,
    maxAttempts: 1,
    // The answers above bear no real MD5.
    md5: false,
  });
  onTestFinished(() => {
    client.destroy();
    server.closeAllConnections();
    server.close();
  });
  return openJobQueue(client, `${endpoint}/000000000000/jobs`);
}
