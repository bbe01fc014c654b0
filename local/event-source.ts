import {
  DeleteMessageBatchCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import type { SQSEvent, SQSRecord } from 'aws-lambda';
import { failedItems } from './batch-response.ts';

/** A queue that feeds a function, as the template describes it. */
export interface QueueMapping {
  readonly queueUrl: string;
  readonly queueArn: string;
  readonly region: string;
  /** Messages for each invocation, 1 to 10. */
  readonly batchSize: number;
  /** Invocations at once. */
  readonly maximumConcurrency: number;
  /** Whether the answer's `batchItemFailures` counts. */
  readonly reportBatchItemFailures: boolean;
}

export interface EventSource {
  /** Stops receiving and resolves when the invocations under way have ended. */
  stop(): Promise<void>;
}

interface EventSourceOptions {
  readonly client: SQSClient;
  readonly mapping: QueueMapping;
  readonly invoke: (event: SQSEvent) => Promise<unknown>;
  /** Told of invocations that threw and of answers from the queue that were errors. */
  readonly onError: (error: unknown) => void;
}

/** SQS allows up to 20 s; Lambda's own pollers use it whole. */
const LONG_POLL_SECONDS = 20;
const RECEIVE_RETRY_MS = 1000;

/**
 * Polls a queue the way Lambda's event source mapping does: what the function handled is deleted,
 * what failed stays hidden until its visibility timeout ends and is then received again, until the
 * queue's own redrive policy moves it to the dead-letter queue.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
 */
export function startEventSource(options: EventSourceOptions): EventSource {
  const stopping = new AbortController();
  const underWay = new Set<Promise<void>>();

  async function poll(): Promise<void> {
    while (!stopping.signal.aborted) {
      if (underWay.size >= options.mapping.maximumConcurrency) {
        await Promise.race(underWay);
        continue;
      }
      const batch = await receive(options, stopping.signal);
      if (batch.length === 0) continue;
      const work = handle(options, batch)
        .catch(options.onError)
        .finally(() => underWay.delete(work));
      underWay.add(work);
    }
  }

  const polling = poll();
  return {
    async stop() {
      stopping.abort();
      await polling;
      await Promise.all(underWay);
    },
  };
}

async function receive(options: EventSourceOptions, signal: AbortSignal): Promise<Message[]> {
  try {
    const answer = await options.client.send(
      new ReceiveMessageCommand({
        QueueUrl: options.mapping.queueUrl,
        MaxNumberOfMessages: options.mapping.batchSize,
        WaitTimeSeconds: LONG_POLL_SECONDS,
        MessageSystemAttributeNames: ['All'],
        MessageAttributeNames: ['All'],
      }),
      { abortSignal: signal },
    );
    return answer.Messages ?? [];
  } catch (error) {
    if (signal.aborted) return [];
    options.onError(error);
    await new Promise((resolve) => setTimeout(resolve, RECEIVE_RETRY_MS));
    return [];
  }
}

async function handle(options: EventSourceOptions, batch: readonly Message[]): Promise<void> {
  const records = batch.map((message) => toRecord(message, options.mapping));
  const answer = await options.invoke({ Records: records });
  const failed = options.mapping.reportBatchItemFailures
    ? failedItems(answer, new Set(records.map((record) => record.messageId)))
    : new Set<string>();
  const handled = records.filter((record) => !failed.has(record.messageId));
  if (handled.length === 0) return;
  const deletion = await options.client.send(
    new DeleteMessageBatchCommand({
      QueueUrl: options.mapping.queueUrl,
      Entries: handled.map((record, index) => ({
        Id: String(index),
        ReceiptHandle: record.receiptHandle,
      })),
    }),
  );
  for (const entry of deletion.Failed ?? []) {
    options.onError(new Error(`A handled message was not deleted: ${entry.Message}`));
  }
}

function toRecord(message: Message, mapping: QueueMapping): SQSRecord {
  const attributes = message.Attributes ?? {};
  return {
    messageId: message.MessageId ?? '',
    receiptHandle: message.ReceiptHandle ?? '',
    body: message.Body ?? '',
    attributes: {
      ...attributes,
      ApproximateReceiveCount: attributes.ApproximateReceiveCount ?? '',
      ApproximateFirstReceiveTimestamp: attributes.ApproximateFirstReceiveTimestamp ?? '',
      SenderId: attributes.SenderId ?? '',
      SentTimestamp: attributes.SentTimestamp ?? '',
    },
    messageAttributes: Object.fromEntries(
      Object.entries(message.MessageAttributes ?? {}).map(([name, value]) => [
        name,
        {
          dataType: value.DataType ?? 'String',
          ...(value.StringValue === undefined ? {} : { stringValue: value.StringValue }),
          ...(value.BinaryValue === undefined
            ? {}
            : { binaryValue: Buffer.from(value.BinaryValue).toString('base64') }),
        },
      ]),
    ),
    md5OfBody: message.MD5OfBody ?? '',
    eventSource: 'aws:sqs',
    eventSourceARN: mapping.queueArn,
    awsRegion: mapping.region,
  };
}
