import {
  ChangeMessageVisibilityCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import type { Job } from '../core/job.ts';
import { writeMessage } from './message.ts';

/** A job that is not on the queue, and the queue's word on why. */
export interface Unsent {
  readonly job: Job;
  readonly code: string;
  readonly message: string;
}

/** Most messages of one `SendMessageBatch`. */
const BATCH = 10;
/** Longest visibility timeout, in seconds (SQS quota). */
const LONGEST_DELAY = 43_200;
/** Longest delay of a message that is sent, in seconds (SQS quota). */
const LONGEST_SEND_DELAY = 900;

/**
 * The job queue: a standard queue with the user as message group, so that one user's backlog does not
 * delay the others ("fair queue").
 */
export function openJobQueue(client: SQSClient, url: string) {
  const sendBatch = async (jobs: readonly Job[]): Promise<readonly Unsent[]> => {
    try {
      const answer = await client.send(
        new SendMessageBatchCommand({
          QueueUrl: url,
          Entries: jobs.map((job, index) => ({ Id: String(index), ...entry(job) })),
        }),
      );
      const accepted = new Set((answer.Successful ?? []).map(({ Id }) => Id));
      const refused = new Map((answer.Failed ?? []).map((failure) => [failure.Id, failure]));
      return jobs.flatMap((job, index) => {
        if (accepted.has(String(index))) return [];
        const failure = refused.get(String(index));
        return {
          job,
          code: failure?.Code ?? 'no answer',
          message: failure?.Message ?? 'The answer of the queue does not mention this message.',
        };
      });
    } catch (error) {
      const { name: code, message } = error instanceof Error ? error : new Error(String(error));
      return jobs.map((job) => ({ job, code, message }));
    }
  };

  return {
    /** Sends jobs, ten in a batch and all batches at once; resolves with those that the queue did not take. */
    async send(jobs: readonly Job[]): Promise<readonly Unsent[]> {
      const batches = Array.from({ length: Math.ceil(jobs.length / BATCH) }, (_, index) =>
        jobs.slice(index * BATCH, (index + 1) * BATCH),
      );
      return (await Promise.all(batches.map(sendBatch))).flat();
    },

    /** Puts the next hop of a job on the queue, to be delivered after so many ms (at most 15 min), or throws. */
    async sendContinuation(job: Job, delayMs = 0): Promise<void> {
      const DelaySeconds = Math.min(Math.ceil(delayMs / 1000), LONGEST_SEND_DELAY);
      await client.send(new SendMessageCommand({ QueueUrl: url, DelaySeconds, ...entry(job) }));
    },

    /** Hides a received message from now on for so many seconds, cut to what SQS allows (0 to 43200). */
    async delay(receiptHandle: string, seconds: number): Promise<void> {
      await client.send(
        new ChangeMessageVisibilityCommand({
          QueueUrl: url,
          ReceiptHandle: receiptHandle,
          VisibilityTimeout: Math.round(Math.min(Math.max(seconds, 0), LONGEST_DELAY)),
        }),
      );
    },
  };
}

function entry(job: Job) {
  return { MessageBody: writeMessage(job), MessageGroupId: job.userId };
}
