import { distance } from 'fastest-levenshtein';
import { Temporal } from 'temporal-polyfill';
import { intervalProblems, type Policy } from '../core/policy.ts';
import type { Parsed, Problem } from '../core/problem.ts';
import type { Schedule } from '../core/schedule.ts';
import { parseCron } from './cron.ts';

/** Reads a schedule, and whether the operator allows it; problems are told at `cron` and `timeZone`. */
export function parseSchedule(cron: string, timeZone: string, policy: Policy): Parsed<Schedule> {
  const rule = parseCron(cron);
  const problems = [
    ...(rule.ok ? intervalProblems(policy, rule.value) : rule.problems),
    ...checkTimeZone(timeZone),
  ];
  if (!rule.ok || problems.length > 0) return { ok: false, problems };
  return { ok: true, value: { cron, timeZone, rule: rule.value } };
}

function checkTimeZone(timeZone: string): readonly Problem[] {
  if (isZoneName(timeZone)) return [];
  return [
    {
      path: 'timeZone',
      problem: `There is no time zone "${timeZone}".`,
      remedy: `Did you mean ${nearestZone(timeZone)}? Names are those of the IANA database, such as Europe/Berlin or UTC.`,
    },
  ];
}

/** Fixed offsets such as `+02:00` are left out: who writes one does not expect it to ignore summer time. */
function isZoneName(timeZone: string): boolean {
  if (!/^[A-Za-z]/.test(timeZone)) return false;
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(timeZone);
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** The zone whose name, or city, takes the fewest changes; people often write only the city. */
function nearestZone(timeZone: string): string {
  const given = timeZone.toLowerCase();
  const changes = (zone: string) => {
    const name = zone.toLowerCase();
    return Math.min(distance(given, name), distance(given, name.slice(name.lastIndexOf('/') + 1)));
  };
  const zones = ['UTC', ...Intl.supportedValuesOf('timeZone')];
  return zones.reduce((best, zone) => (changes(zone) < changes(best) ? zone : best));
}
