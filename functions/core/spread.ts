import { createHash } from 'node:crypto';
import { Temporal } from 'temporal-polyfill';
import { nextSlot, type Schedule } from './schedule.ts';

/**
 * How long after the planned time a user's runs start: a whole number of minutes below
 * `windowMinutes`, the same at every run, so that users who all chose midnight do not all run at it.
 */
export function spreadOffset(userId: string, windowMinutes: number): Temporal.Duration {
  return Temporal.Duration.from({ minutes: hash(userId, 0) % Math.max(1, windowMinutes) });
}

/** The first slot after `now` of a user whose runs are moved by `offset`. */
export function nextDue(
  schedule: Schedule,
  now: Temporal.Instant,
  offset: Temporal.Duration,
): Temporal.Instant {
  return nextSlot(schedule, now.subtract(offset)).add(offset);
}

/**
 * The partition of the due index, or of another sharded one, that a user is in. The number of shards may grow while Ferry runs:
 * rows move at their next run. It must not shrink, for nobody would look into the shards left out.
 */
export function shardOf(userId: string, shards: number, index = 'due'): string {
  return shardName(index, hash(userId, 4) % shards);
}

/** Every partition of the due index, or of another sharded one. */
export function allShards(shards: number, index = 'due'): readonly string[] {
  return Array.from({ length: shards }, (_, number) => shardName(index, number));
}

function shardName(index: string, number: number): string {
  return `${index}#${String(number).padStart(3, '0')}`;
}

/** A number that is evenly spread over users; `at` picks one that is independent of the others. */
function hash(userId: string, at: number): number {
  return createHash('sha256').update(userId).digest().readUInt32BE(at);
}
