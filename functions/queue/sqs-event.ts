import * as z from 'zod';

/**
 * What Lambda's event source hands over, as far as Ferry reads it.
 * https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
 */
const event = z.object({
  Records: z.array(
    z.object({
      messageId: z.string(),
      receiptHandle: z.string(),
      body: z.string(),
      attributes: z.object({ ApproximateReceiveCount: z.coerce.number().int().positive() }),
    }),
  ),
});

/** One message as it was received. */
export interface ReceivedMessage {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
  /** How often the queue has delivered it, this time included. */
  readonly receiveCount: number;
}

/** The messages of one invocation; throws on anything that is not an SQS event. */
export function readSqsEvent(input: unknown): readonly ReceivedMessage[] {
  return event.parse(input).Records.map(({ attributes, ...record }) => ({
    ...record,
    receiveCount: attributes.ApproximateReceiveCount,
  }));
}
