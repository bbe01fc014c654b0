import type { Clock } from '../core/clock.ts';

/** Decides when it is too late to start another part. */
export interface Reserve {
  /** @param ms that it is known to take longer than what was seen so far */
  mayStart(ms?: number): boolean;
  /** Whether nearly the whole invocation is still ahead. */
  isFresh(): boolean;
  /** Reports how long a part took from the start of its reading to its arrival, in ms. */
  sawPart(ms: number): void;
}

/** What saving, handing over and a slow answer may take, in ms. */
const HAND_OVER_MS = 20_000;
/** Of an invocation, so much is nearly all. */
const FRESH = 0.9;

/**
 * The time kept back at the end of an invocation: three times the slowest part seen, so that what is
 * under way can drain, and what saving and handing over take. A function with a short timeout keeps
 * back at most a quarter of it for the latter.
 */
export function openReserve(clock: Clock): Reserve {
  const whole = clock.remaining();
  const handOver = Math.min(HAND_OVER_MS, whole / 4);
  let slowest = 0;
  return {
    mayStart: (ms = 0) => clock.remaining() > handOver + 3 * slowest + ms,
    isFresh: () => clock.remaining() > FRESH * whole,
    sawPart(ms) {
      slowest = Math.max(slowest, ms);
    },
  };
}
