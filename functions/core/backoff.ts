const SECOND = 1000;

/** Waits between attempts: `base · factor^n` up to `cap`, all in ms. */
export interface Backoff {
  readonly base: number;
  readonly factor: number;
  readonly cap: number;
}

/** Within one invocation: a broken connection is usually back within seconds. */
export const RECONNECT: Backoff = { base: 500, factor: 2, cap: 8 * SECOND };

/** Between invocations, by the queue: over eight receives it adds up to about three hours. */
export const REDELIVERY: Backoff = { base: 30 * SECOND, factor: 3, cap: 3600 * SECOND };

/**
 * How long to wait before trying again, in ms. Half of it is random, so that many jobs that failed
 * together do not come back together; never less than the other side asked for.
 * @param attempt how many attempts have failed, from 1
 * @param random a number from 0 to 1
 */
export function waitBefore(backoff: Backoff, attempt: number, random: number, atLeast = 0): number {
  const full = Math.min(backoff.cap, backoff.base * backoff.factor ** (attempt - 1));
  return Math.max(atLeast, Math.round(full / 2 + (full / 2) * random));
}
