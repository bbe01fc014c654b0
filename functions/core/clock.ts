import { setTimeout as wait } from 'node:timers/promises';

/** Time and chance as one invocation sees them, so that whoever runs it can decide on both. */
export interface Clock {
  /** Epoch ms. */
  now(): number;
  /** Until the function is killed, in ms. */
  remaining(): number;
  /** Resolves after so many ms, or at once when the signal aborts; never rejects. */
  pause(ms: number, signal?: AbortSignal): Promise<void>;
  /** A signal that aborts after so many ms. */
  deadline(ms: number): AbortSignal;
  /** From 0 up to 1: spreads what would otherwise happen to many at once. */
  random(): number;
}

/** The clock of this machine. */
export function systemClock(remaining: () => number): Clock {
  return {
    now: Date.now,
    remaining,
    pause: (ms, signal) => wait(ms, undefined, signal && { signal }).catch(() => undefined),
    deadline: (ms) => AbortSignal.timeout(Math.ceil(ms)),
    random: Math.random,
  };
}
