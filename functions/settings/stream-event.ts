import * as z from 'zod';
import { SETTINGS_KEY } from './keys.ts';

/**
 * What Lambda's event source for DynamoDB streams hands over, as far as Ferry reads it: which rows
 * were written. https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
 */
const event = z.object({
  Records: z.array(
    z.object({
      dynamodb: z.object({
        SequenceNumber: z.string(),
        Keys: z.object({ [SETTINGS_KEY]: z.object({ S: z.string() }) }),
      }),
    }),
  ),
});

export interface ChangedRow {
  readonly userId: string;
  /** Names the record in a partial batch response. */
  readonly sequenceNumber: string;
}

/** The rows that were written, in order; throws on anything that is not a stream event. */
export function readStreamEvent(input: unknown): readonly ChangedRow[] {
  return event.parse(input).Records.map(({ dynamodb: { Keys, SequenceNumber } }) => ({
    userId: Keys.userId.S,
    sequenceNumber: SequenceNumber,
  }));
}
