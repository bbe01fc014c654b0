/** What a cron expression of five fields names. Every list is sorted and not empty. */
export interface Calendar {
  /** 0 to 59. */
  readonly minutes: readonly number[];
  /** 0 to 23. */
  readonly hours: readonly number[];
  /** 1 to 31. */
  readonly daysOfMonth: readonly number[];
  /** 1 to 12. */
  readonly months: readonly number[];
  /** 0 to 6, Sunday first. */
  readonly daysOfWeek: readonly number[];
}

const MINUTES_A_DAY = 24 * 60;
const DAY_MS = MINUTES_A_DAY * 60_000;
/** No calendar pauses longer: 29 February is missing from 2097 to 2103. */
const LONGEST_PAUSE = 8 * 366 * MINUTES_A_DAY;

/**
 * The first minute that the calendar names, from `from` up to, not including, `before`. Minutes are
 * those of a wall clock that knows no zone, counted from 1970-01-01T00:00. Undefined where there is
 * none, within `before` or ever.
 */
export function nextMinute(calendar: Calendar, from: number, before: number): number | undefined {
  const end = Math.min(before, from + LONGEST_PAUSE);
  let day = Math.floor(from / MINUTES_A_DAY);
  while (day * MINUTES_A_DAY < end) {
    const date = new Date(day * DAY_MS);
    if (!calendar.months.includes(date.getUTCMonth() + 1)) {
      day = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1) / DAY_MS;
      continue;
    }
    const midnight = day * MINUTES_A_DAY;
    const time = namesDay(calendar, date) ? firstTime(calendar, from - midnight) : undefined;
    if (time !== undefined) return midnight + time < end ? midnight + time : undefined;
    day += 1;
  }
  return undefined;
}

/**
 * As cron has it: where both day fields leave days out, either of them is enough; else the one that
 * does decides. https://man7.org/linux/man-pages/man5/crontab.5.html
 */
function namesDay({ daysOfMonth, daysOfWeek }: Calendar, date: Date): boolean {
  const byMonth = daysOfMonth.includes(date.getUTCDate());
  const byWeek = daysOfWeek.includes(date.getUTCDay());
  const bothLeaveOut = daysOfMonth.length < 31 && daysOfWeek.length < 7;
  return bothLeaveOut ? byMonth || byWeek : byMonth && byWeek;
}

/** Dates and days of the week fall together anew after so many days, while every fourth year is a leap year. */
const DAYS_UNTIL_ALIKE = 28 * 365 + 7;

/** The fewest minutes between two times that the calendar names, on a clock that is never changed. */
export function shortestGap(calendar: Calendar): number {
  const times = calendar.hours.flatMap((hour) =>
    calendar.minutes.map((minute) => hour * 60 + minute),
  );
  const [first = 0] = times;
  const last = times.at(-1) ?? 0;
  const withinDay = times.slice(1).map((time, at) => time - (times[at] ?? 0));
  const overnight = closestDays(calendar) * MINUTES_A_DAY - (last - first);
  return Math.min(overnight, ...withinDay);
}

/** The fewest days from one that the calendar names to the next. */
function closestDays(calendar: Calendar): number {
  let closest = Number.POSITIVE_INFINITY;
  let earlier = Number.NEGATIVE_INFINITY;
  for (let day = 0; day <= DAYS_UNTIL_ALIKE && closest > 1; day++) {
    const date = new Date(day * DAY_MS);
    if (!calendar.months.includes(date.getUTCMonth() + 1) || !namesDay(calendar, date)) continue;
    closest = Math.min(closest, day - earlier);
    earlier = day;
  }
  return closest;
}

/** The first time of day, in minutes, that is not before `earliest`. */
function firstTime({ hours, minutes }: Calendar, earliest: number): number | undefined {
  for (const hour of hours) {
    const minute = minutes.find((candidate) => hour * 60 + candidate >= earliest);
    if (minute !== undefined) return hour * 60 + minute;
  }
  return undefined;
}
