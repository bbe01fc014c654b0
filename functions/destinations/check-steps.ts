import type { FerryError } from '../core/errors.ts';
import { unlessAborted } from '../core/stopping.ts';
import type { CheckStep } from './contract.ts';

/** One stage of a connection test; its result is what was learnt, for the reader of the report. */
export type Step = readonly [name: string, run: () => Promise<string | undefined>];

/** Runs the steps in order and ends with the first that fails, or when the signal is aborted. */
export async function* runSteps(
  steps: readonly Step[],
  toError: (thrown: unknown) => FerryError,
  signal: AbortSignal,
): AsyncGenerator<CheckStep> {
  for (const [step, run] of steps) {
    const startedAt = performance.now();
    const ms = () => Math.round(performance.now() - startedAt);
    try {
      const detail = await unlessAborted(run(), signal);
      yield { step, ms: ms(), detail };
    } catch (thrown) {
      yield { step, ms: ms(), error: toError(thrown) };
      return;
    }
  }
}
