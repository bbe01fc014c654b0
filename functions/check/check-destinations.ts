import type {
  DestinationTest,
  TestAnswer,
  TestRequest,
  TestStep,
} from '../core/connection-test.ts';
import { toFerryError } from '../core/errors.ts';
import type { CheckStep, Destination } from '../destinations/contract.ts';
import type { CheckTools, Openable } from './ports.ts';

/** Destinations of one user that are tried at once. */
const AT_ONCE = 8;

/**
 * Tries the destinations of a user from where transfers run, with what a transfer has: those that are
 * switched off, too, since somebody may want to know before switching them on.
 */
export async function checkDestinations<Surroundings>(
  tools: CheckTools<Surroundings>,
  { userId, destination }: TestRequest,
): Promise<TestAnswer> {
  const row = await tools.rows.read(userId);
  if (!row) return { v: 1, result: 'not-found' };
  if (!row.user.ok) return { v: 1, result: 'refused', problems: row.user.problems };
  const known = row.user.value.destinations;
  const wanted = [...known].filter(([name]) => destination === undefined || name === destination);
  if (wanted.length === 0) return { v: 1, result: 'not-found', known: [...known.keys()] };

  const destinations: DestinationTest[] = [];
  const waiting = wanted.entries();
  const work = async () => {
    for (const [at, [name, { configured }]] of waiting) {
      const surroundings = await tools.surroundingsOf({ userId, destination: name });
      const tested = await checkOne(name, configured, surroundings, tools.deadline());
      const failed = tested.steps.find(({ error }) => error);
      tools.log.info('destination checked', {
        userId,
        destination: name,
        ok: tested.ok,
        step: failed?.step,
        code: failed?.error?.code,
      });
      destinations[at] = tested;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return { v: 1, result: 'tested', destinations };
}

async function checkOne<Surroundings>(
  name: string,
  configured: Openable<Surroundings>,
  surroundings: Surroundings,
  signal: AbortSignal,
): Promise<DestinationTest> {
  const steps: TestStep[] = [];
  let opened: Destination | undefined;
  const startedAt = performance.now();
  try {
    opened = await configured.open(surroundings);
    for await (const step of opened.check(signal)) steps.push(told(step));
  } catch (thrown) {
    // Before the first step: a file that a setting names, or a secret that cannot be opened.
    const error = toFerryError(thrown);
    const ms = Math.round(performance.now() - startedAt);
    steps.push(told({ step: opened ? 'connection' : 'settings', ms, error }));
  } finally {
    await opened?.close().catch(() => undefined);
  }
  const ok = steps.length > 0 && steps.every(({ error }) => error === undefined);
  return { destination: name, type: configured.type, ok, steps };
}

/** Of an error no more than what was written for people. */
function told({ error, ...step }: CheckStep): TestStep {
  return error ? { ...step, error: { code: error.code, message: error.message } } : step;
}
