import { z } from 'zod';
import type { Seen } from '../servers/http-front.ts';

/** A request of a worker that changes something in Ferry's own state, and whose it is. */
export interface OwnStep {
  readonly userId: string;
  readonly step: string;
}

const text = z.object({ S: z.string() });
const item = z.object({ pk: text, sk: text });
const write = z.object({
  Item: item
    .extend({
      data: z.object({
        M: z.object({
          state: text.optional(),
          digest: z.unknown().optional(),
          prefix: z.object({ M: z.object({ parts: z.object({ N: z.string() }) }) }).optional(),
        }),
      }),
    })
    .optional(),
  Key: z.union([item, z.object({ userId: text })]).optional(),
  UpdateExpression: z.string().optional(),
});
const sent = z.object({ MessageBody: z.string().optional() });
const job = z.object({ userId: z.string() });

/** Names a request to DynamoDB; undefined for one that changes nothing. */
export function dynamoDbStep({ headers }: Seen, body: Buffer): OwnStep | undefined {
  const operation = String(headers['x-amz-target'] ?? '').split('.')[1] ?? '';
  if (!['PutItem', 'UpdateItem', 'DeleteItem'].includes(operation)) return undefined;
  const { Item, Key, UpdateExpression = '' } = write.parse(JSON.parse(body.toString()));
  if (Key && 'userId' in Key) return { userId: Key.userId.S, step: 'settings: status' };
  const { pk, sk } = item.parse(Item ?? Key);
  const userId = pk.S.slice(pk.S.indexOf('#') + 1);
  const [kind = ''] = sk.S.split('#');
  const isTaken = UpdateExpression.includes('ADD');
  const data = Item?.data.M;
  switch (kind) {
    case 'LEASE':
      return { userId, step: isTaken ? 'runs: lease taken' : 'runs: lease given back' };
    case 'JOB':
      return { userId, step: `runs: job ${data?.state?.S}` };
    case 'CHECKPOINT':
      if (operation === 'DeleteItem') return { userId, step: 'runs: checkpoint removed' };
      if (data?.digest) return { userId, step: 'runs: checkpoint of all parts' };
      return {
        userId,
        step: `runs: checkpoint of ${data?.prefix?.M.parts.N === '0' ? 'nothing' : 'some parts'}`,
      };
    default:
      return { userId, step: `runs: ${kind.toLowerCase()}` };
  }
}

/** Names a request to SQS; one that gives a message back is not known to be anybody's. */
export function sqsStep({ headers }: Seen, body: Buffer): OwnStep | undefined {
  if (!String(headers['x-amz-target'] ?? '').endsWith('.SendMessage')) return undefined;
  const { MessageBody } = sent.parse(JSON.parse(body.toString()));
  if (MessageBody === undefined) return undefined;
  return { userId: job.parse(JSON.parse(MessageBody)).userId, step: 'queue: continuation' };
}
