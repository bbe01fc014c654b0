import type { Clock } from './clock.ts';
import { abortError, FerryError } from './errors.ts';

/** For work that nobody can call off. */
export const NEVER = new AbortController().signal;

/** The outcome of `work`, or the abort's error at once when `signal` aborts first; `work` itself goes on. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(abortError(signal));
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop);
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** What `work` gives, or a rejection after so many ms; the work goes on, but nobody waits for it. */
export async function within<T>(
  ms: number,
  work: Promise<T>,
  clock: Pick<Clock, 'pause'>,
): Promise<T> {
  const done = new AbortController();
  const late = clock.pause(ms, done.signal).then(() => {
    throw new FerryError('timeout', 'The destination does not answer.', { retry: 'later' });
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    done.abort();
    late.catch(() => undefined);
  }
}

/**
 * The results of work that goes on side by side. Where some of it fails, all has ended before the first
 * failure, by order of the list, is thrown: nothing goes on behind the caller's back.
 */
export async function sideBySide<T extends readonly unknown[] | []>(
  work: T,
): Promise<{ -readonly [Index in keyof T]: Awaited<T[Index]> }> {
  await Promise.allSettled(work);
  return Promise.all(work);
}
