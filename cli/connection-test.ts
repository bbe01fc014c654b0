import { InvokeCommand } from '@aws-sdk/client-lambda';
import { z } from 'zod';
import type {
  DestinationTest,
  TestAnswer,
  TestRequest,
} from '../functions/core/connection-test.ts';
import { Failure } from './failure.ts';
import type { Ferry } from './ferry.ts';
import { noDestination, noUser } from './users.ts';

const step = z.object({
  step: z.string(),
  ms: z.number(),
  detail: z.string().optional(),
  error: z.object({ code: z.string(), message: z.string() }).optional(),
});
const answer: z.ZodType<TestAnswer> = z.discriminatedUnion('result', [
  z.object({
    v: z.literal(1),
    result: z.literal('tested'),
    destinations: z.array(
      z.object({
        destination: z.string(),
        type: z.string(),
        ok: z.boolean(),
        steps: z.array(step),
      }),
    ),
  }),
  z.object({
    v: z.literal(1),
    result: z.literal('refused'),
    problems: z.array(z.object({ path: z.string(), problem: z.string(), remedy: z.string() })),
  }),
  z.object({
    v: z.literal(1),
    result: z.literal('not-found'),
    known: z.array(z.string()).optional(),
  }),
]);

/**
 * Has destinations tried from where transfers run.
 * @throws Failure where nothing could be tested
 */
export async function testConnection(
  { lambda, outputs }: Ferry,
  request: TestRequest,
): Promise<readonly DestinationTest[]> {
  const { FunctionError, Payload } = await lambda.send(
    new InvokeCommand({ FunctionName: outputs.CheckFunction, Payload: JSON.stringify(request) }),
  );
  const text = Buffer.from(Payload ?? []).toString();
  if (FunctionError !== undefined) {
    throw new Failure(
      `The function ${outputs.CheckFunction} gave no answer; its log says why: ${text}`,
    );
  }
  const answered = answer.parse(JSON.parse(text));
  const { userId, destination: name } = request;
  if (answered.result === 'tested') return answered.destinations;
  if (answered.result === 'refused') {
    const { problems } = answered;
    throw new Failure(`The settings of "${userId}" have to be put right first.`, { problems });
  }
  if (!answered.known) throw noUser(userId);
  throw noDestination(userId, name ?? '', answered.known);
}
