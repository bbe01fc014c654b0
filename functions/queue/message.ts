import * as z from 'zod';
import { FerryError } from '../core/errors.ts';
import type { Job } from '../core/job.ts';
import { DESTINATION_NAME, USER_ID } from '../core/user.ts';

/** A job as it travels on the queue. A change of meaning gets a new `v`. */
const message = z.strictObject({
  v: z.literal(1),
  userId: z.string().regex(USER_ID),
  slot: z.iso.datetime(),
  destination: z.string().regex(DESTINATION_NAME),
  hop: z.number().int().nonnegative(),
});

/** The body of the message that asks for a job. */
export function writeMessage(job: Job): string {
  const { userId, slot, destination, hop } = job;
  return JSON.stringify({ v: 1, userId, slot, destination, hop } satisfies z.input<typeof message>);
}

/**
 * The job that a message asks for.
 * @throws FerryError `message-unreadable`, never to be retried
 */
export function readMessage(body: string): Job {
  try {
    const { userId, slot, destination, hop } = message.parse(JSON.parse(body));
    return { userId, slot, destination, hop };
  } catch (cause) {
    throw new FerryError(
      'message-unreadable',
      'A message on the job queue is not one of Ferry, or of another version of it. Look at it in the dead-letter queue.',
      { retry: 'never', cause },
    );
  }
}
