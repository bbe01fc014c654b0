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
 * As `planNext`, for a row that was written; `planned` is where it is now.
 *
 * A time that has come and waits for the tick stays, if the schedule has it: changing a password at
 * midnight must not cost the run of that night. It also stays where nothing but the time was written:
 * somebody wants a run now. A time to come stays unless it is later than the next slot but one: a tick
 * may be a little ahead of this clock and has moved the row on already, but nobody waits for years.
 * @param specChanged whether the schedule may be another one than when `planned` was written
 */
export function planAfterChange(
  user: User<unknown>,
  planned: Due | undefined,
  now: Temporal.Instant,
  spread: Spread,
  specChanged: boolean,
): Due | undefined {
  const next = planNext(user, now, spread);
  const slot = planned && readSlot(planned.at);
  if (!next || !slot) return next;
  const kept = { ...next, at: writeSlot(slot) };
  if (!specChanged) {
    const nextButOne = planNext(user, Temporal.Instant.from(next.at), spread);
    return nextButOne && kept.at <= nextButOne.at ? kept : next;
  }
  if (Temporal.Instant.compare(slot, now) > 0) return next;
  const justBefore = slot.subtract({ seconds: 1 });
  return planNext(user, justBefore, spread)?.at === kept.at ? kept : next;
}
