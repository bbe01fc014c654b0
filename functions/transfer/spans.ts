import type { Clock } from '../core/clock.ts';
import type { PartPlan } from '../core/parts.ts';

/** A part that a lane takes on. */
export interface Turn {
  readonly number: number;
  /** How many parts after it are promised to the driver. */
  readonly following: number;
}

/** Deals out parts in order of their numbers, in spans that are begun only where there is time for all. */
export interface Spans {
  /** Undefined when no part is left, or no time. */
  next(): Turn | undefined;
  /** To be called when a part's buffer is free again: tells how fast the parts go. */
  passed(): void;
  /** Whether time has run out before the parts did. */
  readonly stopped: boolean;
}

/**
 * How long the parts of a span may take, in ms: long beside a round trip, which a request costs beside its
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

  /** How many parts take `SPAN_MS` at the pace seen so far; one before any was seen. */
  const longest = () => {
    const elapsed = Math.max(1, clock.now() - startedAt);
    return Math.max(1, Math.floor((SPAN_MS * passed) / elapsed));
  };

  return {
    next() {
      if (stopped || next === plan.count) return undefined;
      if (next === end) {
        stopped = !move.mayStart(0);
        if (stopped) return undefined;
        const count = move.mayStart(SPAN_MS) ? longest() : 1;
        end = Math.min(plan.count, next + count);
      }
      const number = next++;
      return { number, following: end - 1 - number };
    },
    passed() {
      passed += 1;
    },
    get stopped() {
      return stopped;
    },
  };
}
