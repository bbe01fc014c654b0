import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { ChangeMessageVisibilityCommand } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { DeliveryLog } from '../../local/delivery-log.ts';
import { type LocalFerry, startLocalFerry } from '../../local/local-ferry.ts';
import { startFront } from '../servers/http-front.ts';
import type { Watch } from './places/place.ts';
import { shorten, shortenDelay, shortenLease } from './short-waits.ts';
import { dynamoDbStep, sqsStep } from './steps.ts';

/** Ferry as it is deployed, whose workers can be seen and killed. */
export interface CrashFerry extends AsyncDisposable {
  readonly ferry: LocalFerry;
  /** Lets a user's requests to Ferry's own tables and queue be seen; undefined ends that. */
  watch(userId: string, watch: Watch | undefined): void;
  /** Resolves when nobody else is starting a job; what it gives lets the next one start. */
  startAlone(): Promise<Disposable>;
  /** How long an invocation of the transfer function may take. */
  readonly functionSeconds: number;
  /**
   * Kills the worker that is at a user's job now; false where none is. Nobody waits until it is missed:
   * its lease ends and its message comes back as if that time had passed.
   */
  kill(userId: string): boolean;
}

const record = z.object({ body: z.string(), messageId: z.string(), receiptHandle: z.string() });
const jobs = z.object({ Records: z.tuple([record]) });
const job = z.object({ userId: z.string() });
/** Until what a killed worker had sent has arrived. */
const SETTLE_MS = 300;

/** @param say gets what goes wrong, a line each */
export async function startCrashFerry(
  scratch: string,
  functionSeconds: number,
  say: (line: string) => void,
): Promise<CrashFerry> {
  await using started = new AsyncDisposableStack();
  const watches = new Map<string, Watch>();
  const ferry = started.use(
    await startLocalFerry({
      users: [],
      scratch: join(scratch, 'ferry'),
      signal: new AbortController().signal,
      say,
      log: new DeliveryLog(),
      async adapt(topology, { endpoints }) {
        const fronts = {
          dynamodb: started.adopt(await startFront(endpoints.dynamodb), (front) => front.stop()),
          sqs: started.adopt(await startFront(endpoints.sqs), (front) => front.stop()),
        };
        fronts.dynamodb.react((seen, body) => {
          shortenLease(body);
          const own = dynamoDbStep(seen, body);
          return own && watches.get(own.userId)?.(own.step);
        });
        fronts.sqs.react((seen, body) => {
          shortenDelay(body);
          const own = sqsStep(seen, body);
          return own && watches.get(own.userId)?.(own.step);
        });
        return shorten(topology, functionSeconds, {
          dynamodb: fronts.dynamodb.endpoint,
          sqs: fronts.sqs.endpoint,
        });
      },
    }),
  );
  const running = started.move();
  let starting: Promise<void> = Promise.resolve();
  return {
    ferry,
    async startAlone() {
      const before = starting;
      const { promise, resolve } = Promise.withResolvers<void>();
      starting = promise;
      await before;
      return { [Symbol.dispose]: resolve };
    },
    watch(userId, watch) {
      if (watch) watches.set(userId, watch);
      else watches.delete(userId);
    },
    functionSeconds,
    kill(userId) {
      let killed: Message | undefined;
      ferry.pipeline.kill((event) => {
        const message = messageOf(userId, event);
        killed ??= message;
        return message !== undefined;
      });
      if (killed) void letTimePass(ferry, userId, killed).catch((error) => say(`! ${error}`));
      return killed !== undefined;
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

type Message = z.output<typeof record>;

/** The message that a worker has, if it is one of a user's job. */
function messageOf(userId: string, event: unknown): Message | undefined {
  const message = jobs.safeParse(event).data?.Records[0];
  const owner = message && job.safeParse(JSON.parse(message.body)).data?.userId;
  return owner === userId ? message : undefined;
}

/** What a killed worker held is given up, as the end of its lease and of the message's visibility do. */
async function letTimePass(ferry: LocalFerry, userId: string, message: Message): Promise<void> {
  await wait(SETTLE_MS);
  const documents = DynamoDBDocumentClient.from(ferry.services.dynamodb);
  await documents
    .send(
      new UpdateCommand({
        TableName: ferry.topology.output('RunsTable'),
        Key: { pk: `USER#${userId}`, sk: 'LEASE#place' },
        UpdateExpression: 'SET #until = :over',
        // The owner of a lease is named after its invocation and its message.
        ConditionExpression: 'contains(#owner, :message)',
        ExpressionAttributeNames: { '#until': 'until', '#owner': 'owner' },
        ExpressionAttributeValues: { ':over': 0, ':message': message.messageId },
      }),
    )
    .catch((error: unknown) => {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
    });
  await ferry.services.sqs.send(
    new ChangeMessageVisibilityCommand({
      QueueUrl: ferry.topology.output('JobQueueUrl'),
      ReceiptHandle: message.receiptHandle,
      VisibilityTimeout: 0,
    }),
  );
}
