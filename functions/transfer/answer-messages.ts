import { REDELIVERY, waitBefore } from '../core/backoff.ts';
import type { Clock } from '../core/clock.ts';
import { toFerryError } from '../core/errors.ts';
import type { Job } from '../core/job.ts';
import type { JobResult, Log } from './ports.ts';

interface Message {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
  readonly receiveCount: number;
}

export interface MessageTools {
  /** @throws FerryError `message-unreadable` */
  readMessage(body: string): Job;
  runJob(job: Job, message: Message): Promise<JobResult>;
  /** Hides a received message for so many seconds. */
  delay(receiptHandle: string, seconds: number): Promise<void>;
  readonly clock: Pick<Clock, 'random'>;
  readonly log: Log;
}

/** Lambda's partial batch response: what is named here is not deleted from the queue. */
export interface BatchAnswer {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
}

/**
 * Runs the job of each message and tells the queue what to do with it. A message that comes back is
 * hidden for as long as the job asked; one that nobody can read is let through to the dead-letter
 * queue at once.
 */
export async function answerMessages(
  tools: MessageTools,
  messages: readonly Message[],
): Promise<BatchAnswer> {
  const batchItemFailures: { itemIdentifier: string }[] = [];
  for (const message of messages) {
    const delayMs = await delayOf(tools, message);
    if (delayMs === undefined) continue;
    batchItemFailures.push({ itemIdentifier: message.messageId });
    // Should this fail, the message comes back when its visibility ends: late, but it does.
    await tools.delay(message.receiptHandle, Math.ceil(delayMs / 1000)).catch((error: unknown) => {
      tools.log.warn('could not hide the message', { error });
    });
  }
  return { batchItemFailures };
}

/** For how long the message is given back to the queue; undefined when it is done with. */
async function delayOf(tools: MessageTools, message: Message): Promise<number | undefined> {
  try {
    const result = await tools.runJob(tools.readMessage(message.body), message);
    if (result.outcome === 'retrying') return result.delayMs;
    return result.outcome === 'gave up' ? 0 : undefined;
  } catch (thrown) {
    const error = toFerryError(thrown);
    tools.log.warn('message not handled', { messageId: message.messageId, error });
    return error.retry === 'never'
      ? 0
      : waitBefore(REDELIVERY, message.receiveCount, tools.clock.random());
  }
}
