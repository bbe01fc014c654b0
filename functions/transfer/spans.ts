import type { Clock } from '../core/clock.ts';
import type { PartPlan } from '../core/parts.ts';

/**
 * Deals out parts in order of their numbers while there is time, and promises the next ones to the driver
 * where there is time for all of them. What was promised is dealt out, whatever the time.
 */
export interface Spans {
  /** The next part to read; undefined when none is left, or no time. */
  next(): number | undefined;
  /** How many parts after this one are certain to come; asked when it is handed to the driver. */
  following(number: number): number;
  /** To be called when a part's buffer is free again: tells how fast the parts go. */
  passed(): void;
  /** Whether time has run out before the parts did. */
  readonly stopped: boolean;
}

/**
 * How long the promised parts may take, in ms: long beside a round trip, which a request costs beside its
 * bytes, and short beside what an invocation keeps back (`reserve.ts`), should the line become slower.
 */
const SPAN_MS = 2_000;

export function openSpans(move: {
  readonly plan: PartPlan;
  readonly from: number;
  readonly clock: Pick<Clock, 'now'>;
  mayStart(ms: number): boolean;
}): Spans {
  const { plan, clock } = move;
  const startedAt = clock.now();
  let next = move.from;
  /** The first part that is not promised. */
  let end = move.from;
  let passed = 0;
  let stopped = false;

  /** How many parts take `SPAN_MS` at the pace seen so far; none before any was seen. */
  const inTime = () => {
    const elapsed = Math.max(1, clock.now() - startedAt);
    return Math.floor((SPAN_MS * passed) / elapsed);
  };

  return {
    next() {
      if (stopped || next === plan.count) return undefined;
      if (next >= end) stopped = !move.mayStart(0);
      return stopped ? undefined : next++;
    },
    following(number) {
      const promised = Math.min(plan.count, number + 1 + inTime());
      if (!stopped && promised > end && move.mayStart(SPAN_MS)) end = promised;
      return Math.max(end, next) - 1 - number;
    },
    passed() {
      passed += 1;
    },
    get stopped() {
      return stopped;
    },
  };
}
