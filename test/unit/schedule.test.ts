import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { NO_LIMITS } from '../../functions/core/policy.ts';
import { nextSlot, type Schedule } from '../../functions/core/schedule.ts';
import { parseSchedule } from '../../functions/settings/schedule.ts';

function schedule(cron: string, timeZone = 'UTC'): Schedule {
  const parsed = parseSchedule(cron, timeZone, NO_LIMITS);
  if (!parsed.ok) throw new Error(`"${cron}" in ${timeZone} is refused`);
  return parsed.value;
}

/** So many slots after a local time of the schedule's zone, as local times. */
function slots(cron: string, timeZone: string, after: string, count: number): string[] {
  let instant = Temporal.PlainDateTime.from(after).toZonedDateTime(timeZone).toInstant();
  return Array.from({ length: count }, () => {
    instant = nextSlot(schedule(cron, timeZone), instant);
    const local = instant.toZonedDateTimeISO(timeZone);
    return `${local.toPlainDateTime().toString({ smallestUnit: 'minute' })}${local.offset}`;
  });
}

describe('the next slot', () => {
  it.each([
    ['30 2 * * *', 'Asia/Tokyo', '2026-11-22T02:29', '2026-11-22T02:30+09:00'],
    ['30 2 * * *', 'Asia/Tokyo', '2026-11-22T02:30', '2026-11-23T02:30+09:00'],
    ['@weekly', 'America/New_York', '2026-11-22T00:00', '2026-11-29T00:00-05:00'],
    ['@monthly', 'Asia/Kolkata', '2026-12-31T23:59', '2027-01-01T00:00+05:30'],
    ['0 0 31 * *', 'UTC', '2026-03-31T00:00', '2026-05-31T00:00+00:00'],
    ['0 0 29 2 *', 'UTC', '2026-01-01T00:00', '2028-02-29T00:00+00:00'],
    ['0 0 29 2 *', 'UTC', '2096-02-29T00:00', '2104-02-29T00:00+00:00'],
    ['0 0 13 * FRI', 'UTC', '2026-11-12T00:00', '2026-11-13T00:00+00:00'],
    ['0 0 13 * FRI', 'UTC', '2026-11-13T00:00', '2026-11-20T00:00+00:00'],
    ['0 0 1 * FRI', 'UTC', '2026-11-28T00:00', '2026-12-01T00:00+00:00'],
    ['0 0 * 12 FRI', 'UTC', '2026-11-22T00:00', '2026-12-04T00:00+00:00'],
  ])('of "%s" in %s after %s is %s', (cron, timeZone, after, expected) => {
    expect(slots(cron, timeZone, after, 1)).toEqual([expected]);
  });

  it('of an interval is a multiple since the epoch, in any time zone', () => {
    const after = Temporal.Instant.from('2026-11-22T10:00:00Z');
    for (const timeZone of ['UTC', 'Asia/Kolkata']) {
      const next = nextSlot(schedule('@every 7h', timeZone), after);
      expect(next.epochMilliseconds % (7 * 3_600_000)).toBe(0);
      expect(next.since(after).total('hours')).toBeLessThanOrEqual(7);
    }
  });
});

describe('when clocks go forward', () => {
  it('a time that does not exist runs an hour later, once', () => {
    expect(slots('30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00', 2)).toEqual([
      '2026-03-29T03:30+02:00',
      '2026-03-30T02:30+02:00',
    ]);
  });

  it('a time that does not exist and the one it would move to are one run', () => {
    expect(slots('0 2,3 * * *', 'Europe/Berlin', '2026-03-28T12:00', 2)).toEqual([
      '2026-03-29T03:00+02:00',
      '2026-03-30T02:00+02:00',
    ]);
  });

  it('a quarter of an hour stays a quarter of an hour', () => {
    expect(slots('*/15 * * * *', 'Europe/Berlin', '2026-03-29T01:40', 3)).toEqual([
      '2026-03-29T01:45+01:00',
      '2026-03-29T03:00+02:00',
      '2026-03-29T03:15+02:00',
    ]);
  });

  it('midnight runs at one where midnight does not exist', () => {
    expect(slots('@daily', 'Africa/Cairo', '2026-04-23T12:00', 2)).toEqual([
      '2026-04-24T01:00+03:00',
      '2026-04-25T00:00+03:00',
    ]);
  });

  it('half an hour is enough to move a time that does not exist past one that does', () => {
    expect(slots('10,35 2 * * *', 'Australia/Lord_Howe', '2026-10-04T00:00', 3)).toEqual([
      '2026-10-04T02:35+11:00',
      '2026-10-04T02:40+11:00',
      '2026-10-05T02:10+11:00',
    ]);
  });

  it('a day that does not exist runs on the next, and its own run is the same', () => {
    expect(slots('0 2 * * *', 'Pacific/Apia', '2011-12-29T12:00', 2)).toEqual([
      '2011-12-31T02:00+14:00',
      '2012-01-01T02:00+14:00',
    ]);
    expect(slots('0 2 * * FRI', 'Pacific/Apia', '2011-12-29T12:00', 1)).toEqual([
      '2011-12-31T02:00+14:00',
    ]);
  });
});

describe('when clocks go back', () => {
  it('a time that comes twice runs the first time only', () => {
    expect(slots('30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00', 2)).toEqual([
      '2026-10-25T02:30+02:00',
      '2026-10-26T02:30+01:00',
    ]);
  });

  it('a midnight that comes twice runs the first time only', () => {
    expect(slots('@daily', 'America/Havana', '2026-10-31T12:00', 2)).toEqual([
      '2026-11-01T00:00-04:00',
      '2026-11-02T00:00-05:00',
    ]);
  });

  it('an hourly run is not left out for two hours', () => {
    expect(slots('@hourly', 'Europe/Berlin', '2026-10-25T01:30', 3)).toEqual([
      '2026-10-25T02:00+02:00',
      '2026-10-25T02:00+01:00',
      '2026-10-25T03:00+01:00',
    ]);
  });

  it('a quarter of an hour stays a quarter of an hour', () => {
    expect(slots('*/15 * * * *', 'Europe/Berlin', '2026-10-25T02:40', 3)).toEqual([
      '2026-10-25T02:45+02:00',
      '2026-10-25T02:00+01:00',
      '2026-10-25T02:15+01:00',
    ]);
  });

  it('every other hour does not run twice within one', () => {
    expect(slots('0 */2 * * *', 'Europe/Berlin', '2026-10-25T00:30', 2)).toEqual([
      '2026-10-25T02:00+02:00',
      '2026-10-25T04:00+01:00',
    ]);
  });
});

describe('in every time zone', () => {
  const zones = ['UTC', ...Intl.supportedValuesOf('timeZone')];
  const hour = 3_600_000;

  /** Instants of twenty years, half of them within a day and a half of a change of the clocks. */
  const anyZoneAndInstant = fc
    .record({
      timeZone: fc.constantFrom(...zones),
      time: fc.integer({ min: Date.UTC(2015, 0), max: Date.UTC(2037, 0) }),
      nearChange: fc.option(fc.integer({ min: -36 * hour, max: 36 * hour })),
    })
    .map(({ timeZone, time, nearChange }) => {
      const instant = Temporal.Instant.fromEpochMilliseconds(time);
      const change = instant.toZonedDateTimeISO(timeZone).getTimeZoneTransition('next');
      const after =
        change && nearChange !== null
          ? change.toInstant().add({ milliseconds: nearChange })
          : instant;
      return { timeZone, after };
    });

  const some = (min: number, max: number, most: number) =>
    fc.uniqueArray(fc.integer({ min, max }), { minLength: 1, maxLength: most });
  const all = (min: number, max: number) =>
    fc.constant(Array.from({ length: max - min + 1 }, (_, n) => min + n));
  const anyFields = fc.record({
    minutes: some(0, 59, 5),
    hours: fc.oneof(some(0, 23, 4), some(0, 4, 4), all(0, 23)),
    daysOfMonth: fc.oneof(some(1, 31, 20), all(1, 31)),
    months: fc.oneof(some(1, 12, 10), all(1, 12)),
    daysOfWeek: fc.oneof(some(0, 6, 5), all(0, 6)),
  });
  type Fields = typeof anyFields extends fc.Arbitrary<infer T> ? T : never;
  const DAYS_IN_ANY_MONTH = 28;
  const anySchedule = fc
    .record({ place: anyZoneAndInstant, fields: anyFields })
    .filter(({ fields }) => fields.daysOfMonth.some((day) => day <= DAYS_IN_ANY_MONTH));

  const write = (fields: Fields) =>
    [fields.minutes, fields.hours, fields.daysOfMonth, fields.months, fields.daysOfWeek]
      .map((values) => values.join(','))
      .join(' ');

  function matches(fields: Fields, local: Temporal.PlainDateTime): boolean {
    const { daysOfMonth, daysOfWeek } = fields;
    const byMonth = daysOfMonth.includes(local.day);
    const byWeek = daysOfWeek.includes(local.dayOfWeek % 7);
    const either = daysOfMonth.length < 31 && daysOfWeek.length < 7;
    return (
      fields.minutes.includes(local.minute) &&
      fields.hours.includes(local.hour) &&
      fields.months.includes(local.month) &&
      (either ? byMonth || byWeek : byMonth && byWeek)
    );
  }

  /** Tries every minute on the wall within two days, and lets Temporal say which instant it means. */
  function searchTwoDays(fields: Fields, timeZone: string, after: Temporal.Instant) {
    const wall = after.toZonedDateTimeISO(timeZone).toPlainDateTime();
    const start = wall
      .subtract({ hours: 26 })
      .round({ smallestUnit: 'hour', roundingMode: 'floor' });
    const found: number[] = [];
    for (let hours = 0; hours < 26 + 48 + 26; hours++) {
      const full = start.add({ hours });
      if (!fields.hours.includes(full.hour)) continue;
      for (const minute of fields.minutes) {
        const local = full.with({ minute });
        if (!matches(fields, local)) continue;
        const ways =
          fields.hours.length === 24 ? (['earlier', 'later'] as const) : (['compatible'] as const);
        for (const disambiguation of ways) {
          const wanted = local.toZonedDateTime(timeZone, { disambiguation });
          const exists = wanted.toPlainDateTime().equals(local) || disambiguation !== 'earlier';
          if (exists) found.push(wanted.epochMilliseconds);
        }
      }
    }
    const limit = after.epochMilliseconds + 48 * hour;
    const later = found.filter((time) => time > after.epochMilliseconds && time <= limit);
    return later.length > 0 ? Math.min(...later) : undefined;
  }

  it('the next slot is the first minute that the expression names', () => {
    fc.assert(
      fc.property(anySchedule, ({ place: { timeZone, after }, fields }) => {
        const next = nextSlot(schedule(write(fields), timeZone), after).epochMilliseconds;
        const expected = searchTwoDays(fields, timeZone, after);
        if (expected !== undefined) expect(next).toBe(expected);
        else expect(next).toBeGreaterThan(after.epochMilliseconds + 48 * hour);
      }),
      { numRuns: 200 },
    );
  });

  it('the next slot is later than any time, and the same for all times before it', () => {
    const anyMoment = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
    fc.assert(
      fc.property(anySchedule, anyMoment, ({ place: { timeZone, after }, fields }, moment) => {
        const plan = schedule(write(fields), timeZone);
        const next = nextSlot(plan, after);
        expect(Temporal.Instant.compare(next, after)).toBe(1);
        const wait = next.epochMilliseconds - after.epochMilliseconds;
        const between = after.add({ milliseconds: Math.floor(wait * moment) });
        expect(nextSlot(plan, between).equals(next)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it('a daily run comes every 24 hours, give or take the change of the clocks', () => {
    const anyTime = fc.record({
      h: fc.integer({ min: 0, max: 23 }),
      m: fc.integer({ min: 0, max: 59 }),
    });
    fc.assert(
      fc.property(anyZoneAndInstant, anyTime, ({ timeZone, after }, { h, m }) => {
        const plan = schedule(`${m} ${h} * * *`, timeZone);
        let previous = nextSlot(plan, after.subtract({ hours: 48 }));
        for (let day = 0; day < 4; day++) {
          const next = nextSlot(plan, previous);
          const hours = next.since(previous).total('hours');
          const offsets = [previous.subtract({ hours: 24 }), previous, next].map(
            (instant) => instant.toZonedDateTimeISO(timeZone).offsetNanoseconds / 3.6e12,
          );
          // An hour nearly everywhere; three were seen in Antarctica.
          const change = Math.max(...offsets) - Math.min(...offsets);
          expect(hours).toBeGreaterThanOrEqual(24 - change);
          expect(hours).toBeLessThanOrEqual(24 + change);
          previous = next;
        }
      }),
      {
        numRuns: 300,
        examples: zones.map(
          (timeZone): [{ timeZone: string; after: Temporal.Instant }, { h: number; m: number }] => [
            { timeZone, after: Temporal.Instant.from('2026-03-29T00:30:00Z') },
            { h: 2, m: 30 },
          ],
        ),
      },
    );
  });
});
