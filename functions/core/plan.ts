import { Temporal } from 'temporal-polyfill';
import { readSlot, writeSlot } from './slot.ts';
import { nextDue, shardOf, spreadOffset } from './spread.ts';
import { activeDestinations, type Due, type User } from './user.ts';

/** How the operator spreads users over time and over the due index. */
export interface Spread {
  /** Users of the same planned time start within so many minutes. */
  readonly minutes: number;
  /** Partitions of the due index. */
  readonly shards: number;
}

/** Where a user belongs in the due index once everything up to `now` is dealt with; nowhere if paused. */
export function planNext(
  user: User<unknown>,
  now: Temporal.Instant,
  spread: Spread,
): Due | undefined {
  if (activeDestinations(user).length === 0) return undefined;
  const next = nextDue(user.schedule, now, spreadOffset(user.id, spread.minutes));
  return { shard: shardOf(user.id, spread.shards), at: writeSlot(next) };
}

/**
 * As `planNext`, but a slot that the user's schedule still has stays, also one that has come and
 * waits to be put on the queue: changing a password at midnight must not cost the run of that night.
 */
export function planAfterChange(
  user: User<unknown>,
  planned: Due | undefined,
  now: Temporal.Instant,
  spread: Spread,
): Due | undefined {
  const next = planNext(user, now, spread);
  const slot = planned && readSlot(planned.at);
  if (!next || !slot || Temporal.Instant.compare(slot, now) > 0) return next;
  const justBefore = slot.subtract({ seconds: 1 });
  return planNext(user, justBefore, spread)?.at === planned.at ? { ...next, at: planned.at } : next;
}
