import { setTimeout as wait } from 'node:timers/promises';
import { FerryError } from '../../core/errors.ts';
import { unlessAborted } from '../../core/stopping.ts';

const SECOND = 1000;
/** A request without a body is answered within this time, or never. */
const ANSWER_MS = 60 * SECOND;
/** A request with a body may take longer by the time that this rate needs, in bytes a second. */
const SLOWEST_LINE = 32 * 1024;
/** How often a request is sent that breaks on the way. */
const ATTEMPTS = 3;
const FIRST_PAUSE_MS = 200;
/** Timers take no more, and fire at once for what is longer (nodejs.org/api/timers.html). */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * One request whose answer is waited for no longer than its size explains. Ends as soon as `signal` is
 * aborted, whatever the work does then. The work is given a signal that ends it in both cases.
 * @param bytes how large the body is
 */
export async function sendInTime<T>(
  signal: AbortSignal,
  bytes: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const deadline = new AbortController();
  const ms = Math.min(ANSWER_MS + (bytes / SLOWEST_LINE) * SECOND, LONGEST_TIMER_MS);
  const late = setTimeout(() => deadline.abort(noAnswer()), ms);
  try {
    const either = AbortSignal.any([signal, deadline.signal]);
    return await unlessAborted(work(either), either);
  } finally {
    clearTimeout(late);
  }
}

/**
 * Sends again what can simply be sent again: requests that broke or were damaged on the way, where the
 * server did not ask for time. The work has to be idempotent.
 */
export async function sendAgain<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (thrown) {
      if (attempt === ATTEMPTS || !canBeSentAgain(thrown) || signal.aborted) throw thrown;
      await wait(FIRST_PAUSE_MS * 2 ** attempt * Math.random(), undefined, { signal }).catch(
        () => undefined,
      );
    }
  }
}

function canBeSentAgain(thrown: unknown): boolean {
  if (!(thrown instanceof FerryError) || thrown.retryAfterMs !== undefined) return false;
  return thrown.retry === 'now' && thrown.code !== 'upload-lost';
}

function noAnswer(): FerryError {
  return new FerryError('timeout', 'The server stopped answering. Ferry tries again.', {
    retry: 'now',
  });
}
