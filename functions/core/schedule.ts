import { Temporal } from 'temporal-polyfill';
import { type Calendar, nextMinute } from './cron.ts';

/** When a user's backups run. */
export interface Schedule {
  /** As the user wrote it. */
  readonly cron: string;
  /** IANA name. */
  readonly timeZone: string;
  readonly rule: Calendar | Interval;
}

/** Multiples since the Unix epoch, whatever the time zone. */
export interface Interval {
  readonly everySeconds: number;
}

const MINUTE_MS = 60_000;

/**
 * The first slot strictly after an instant.
 *
 * When clocks go forward, times that do not exist run later by as much as was left out: 02:30 at
 * 03:30. Where that meets another slot, there is one run.
 *
 * When clocks go back, times that come twice run the first time. Only an expression that names every
 * hour of the day (`@hourly`, every 15 minutes) runs both times, since it would else pause for an hour.
 */
export function nextSlot(schedule: Schedule, after: Temporal.Instant): Temporal.Instant {
  const { rule, timeZone } = schedule;
  const { epochMilliseconds } = after;
  const next =
    'everySeconds' in rule
      ? nextMultiple(rule.everySeconds * 1000, epochMilliseconds)
      : nextOnCalendar(rule, timeZone, epochMilliseconds);
  return Temporal.Instant.fromEpochMilliseconds(next);
}

function nextMultiple(step: number, after: number): number {
  return (Math.floor(after / step) + 1) * step;
}

/**
 * A zone's history is a chain of periods of one UTC offset each, and each time on the wall belongs to
 * one of them: a time in a gap to the period before it, a time that comes twice to the first of the
 * two. So the border between two periods, on the wall, is the change plus the larger offset.
 * All numbers are ms; a time on the wall is counted as if it were UTC.
 */
function nextOnCalendar(calendar: Calendar, timeZone: string, after: number): number {
  const repeats = calendar.hours.length === 24;
  // No gap is longer than a day, so what came before yesterday's period cannot reach beyond now.
  let period = Temporal.Instant.fromEpochMilliseconds(
    after - 24 * 60 * MINUTE_MS,
  ).toZonedDateTimeISO(timeZone);
  let from = Number.NEGATIVE_INFINITY;
  let best = Number.POSITIVE_INFINITY;
  for (;;) {
    const offset = offsetOf(period);
    const change = period.getTimeZoneTransition('next');
    const border = change
      ? change.epochMilliseconds + Math.max(offset, offsetOf(change))
      : Number.POSITIVE_INFINITY;
    const slot = firstOnWall(calendar, Math.max(from, after + offset + 1), border);
    if (slot !== undefined) best = Math.min(best, slot - offset);
    if (!change || best <= change.epochMilliseconds) return best;
    from = repeats ? change.epochMilliseconds + offsetOf(change) : border;
    period = change;
  }
}

function firstOnWall(calendar: Calendar, from: number, before: number): number | undefined {
  const minute = nextMinute(calendar, Math.ceil(from / MINUTE_MS), Math.ceil(before / MINUTE_MS));
  return minute === undefined ? undefined : minute * MINUTE_MS;
}

function offsetOf(time: Temporal.ZonedDateTime): number {
  return time.offsetNanoseconds / 1e6;
}
