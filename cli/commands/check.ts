import { InvokeCommand } from '@aws-sdk/client-lambda';
import { z } from 'zod';
import type {
  DestinationTest,
  TestAnswer,
  TestRequest,
} from '../../functions/core/connection-test.ts';
import { defineCommand } from '../command.ts';
import { EXIT, Failure, notFound } from '../failure.ts';
import type { Ferry } from '../ferry.ts';
import { destination, flag, userId } from '../given.ts';

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

export const check = defineCommand({
  name: 'check',
  summary: "tests the connection to a user's destinations, step by step",
  about: `From where transfers run: name, address, connection, encryption or host key, login, writing, reading
back and deleting a small file; each with its time, and on failure with what to change. Nothing is left
behind. Destinations that are switched off are tested, too.`,
  arguments: { '<id>': 'the user', '[destination]': 'one destination; all without it' },
  examples: ['ferry check alice', 'ferry check alice nas --json'],
  given: z.object({ id: userId, destination: destination.optional(), acceptHostKey: flag }),
  async run({ id, destination: name }, { ferry, say }) {
    const tests = await testConnection(await ferry(), { v: 1, userId: id, destination: name });
    for (const each of tests) say(`${describe(each)}\n`);
    return {
      result: { userId: id, destinations: tests },
      status: tests.every(({ ok }) => ok) ? EXIT.done : EXIT.failed,
    };
  },
});

/** @throws Failure where nothing could be tested */
async function testConnection(
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
  if (!answered.known) throw notFound(`There is no user "${userId}".`);
  throw notFound(`"${userId}" has no destination "${name}". It has: ${answered.known.join(', ')}.`);
}

function describe({ destination: name, ok, steps, type }: DestinationTest): string {
  const width = Math.max(...steps.map((each) => each.step.length));
  const lines = steps.map(({ detail, error, ms, step: what }) => {
    const time = `${String(ms).padStart(6)} ms`;
    const line = `  ${error ? '✗' : '✓'} ${what.padEnd(width)} ${time}  ${detail ?? ''}`.trimEnd();
    return error ? `${line}\n    ${error.message}` : line;
  });
  return [`${name} (${type}): ${ok ? 'works' : 'does not work'}`, ...lines].join('\n');
}
