import { closest } from 'fastest-levenshtein';
import { type Calendar, nextMinute } from '../core/cron.ts';
import type { Parsed, Problem } from '../core/problem.ts';
import type { Interval } from '../core/schedule.ts';
import { type CronField, FieldTrouble, readField } from './cron-field.ts';

const FIELDS: readonly CronField[] = [
  { name: 'minute', min: 0, max: 59 },
  { name: 'hour', min: 0, max: 23 },
  { name: 'day of the month', min: 1, max: 31, question: true },
  {
    name: 'month',
    min: 1,
    max: 12,
    words: ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'],
  },
  {
    name: 'day of the week',
    min: 0,
    max: 7,
    words: ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'],
    question: true,
  },
];

const DESCRIPTORS = new Map([
  ['@yearly', '0 0 1 1 *'],
  ['@annually', '0 0 1 1 *'],
  ['@monthly', '0 0 1 * *'],
  ['@weekly', '0 0 * * 0'],
  ['@daily', '0 0 * * *'],
  ['@midnight', '0 0 * * *'],
  ['@hourly', '0 * * * *'],
]);

/** The problem with a calendar that no instant fits. */
export const NEVER_COMES = 'This day never comes: none of these months is so long.';

/** Problems are told at this path. */
const PATH = 'cron';

/**
 * Reads a cron expression: five fields (minute, hour, day of the month, month, day of the week), a
 * descriptor such as `@daily`, or `@every` with a duration.
 */
export function parseCron(text: string): Parsed<Calendar | Interval> {
  const words = text.trim().split(/\s+/);
  const [first = '', ...rest] = words;
  if (/^(CRON_)?TZ=/.test(first)) {
    return refuse(
      'The expression holds a time zone.',
      'Leave it out and give it as timeZone, beside cron.',
    );
  }
  if (first === '@every') return parseEvery(rest.join(' '));
  if (first.startsWith('@')) {
    const fields = DESCRIPTORS.get(text.trim());
    if (fields !== undefined) return parseCron(fields);
    const known = [...DESCRIPTORS.keys(), '@every'];
    return refuse(
      `There is no "${text.trim()}".`,
      `Did you mean ${closest(first, known)}? Known are ${known.join(', ')}.`,
    );
  }
  if (words.length === FIELDS.length) return parseFields(words);
  return refuse(
    `The expression has ${first === '' ? 0 : words.length} fields instead of five.`,
    words.length === 6
      ? `There is no field for seconds or years: write "${rest.join(' ')}" if the first one is seconds.`
      : 'Give minute, hour, day of the month, month and day of the week, e.g. "30 2 * * *".',
  );
}

function parseFields(texts: readonly string[]): Parsed<Calendar> {
  const problems: Problem[] = [];
  const read = (field: CronField, index: number) => {
    try {
      return readField(field, texts[index] ?? '');
    } catch (error) {
      if (!(error instanceof FieldTrouble)) throw error;
      problems.push({ path: PATH, problem: error.message, remedy: error.remedy });
      return [];
    }
  };
  const [minutes = [], hours = [], daysOfMonth = [], months = [], weekdays = []] = FIELDS.map(read);
  if (problems.length > 0) return { ok: false, problems };
  // Sunday is 0 and, for those who count from Monday, also 7.
  const daysOfWeek = [...new Set(weekdays.map((day) => day % 7))].sort();
  const calendar: Calendar = { minutes, hours, daysOfMonth, months, daysOfWeek };
  if (nextMinute(calendar, 0, Number.POSITIVE_INFINITY) !== undefined) {
    return { ok: true, value: calendar };
  }
  return refuse(NEVER_COMES, 'Choose a day that exists. To run nothing, set enabled to false.');
}

/** Units of a Go duration that can add up to whole seconds, in seconds. https://pkg.go.dev/time#ParseDuration */
const UNITS = new Map([
  ['h', 3600],
  ['m', 60],
  ['s', 1],
  ['ms', 1e-3],
]);
const LONGEST_INTERVAL = 366 * 24 * 3600;

function parseEvery(duration: string): Parsed<Interval> {
  const isDuration = /^(\d+(\.\d*)?(h|ms|m|s))+$/.test(duration);
  const terms = isDuration ? [...duration.matchAll(/(\d+(?:\.\d*)?)(h|ms|m|s)/g)] : [];
  const seconds = terms.reduce(
    (sum, [, count, unit = '']) => sum + Number(count) * (UNITS.get(unit) ?? Number.NaN),
    0,
  );
  const rounded = Math.round(seconds);
  if (Math.abs(seconds - rounded) < 1e-6 && rounded >= 60 && rounded <= LONGEST_INTERVAL) {
    return { ok: true, value: { everySeconds: rounded } };
  }
  return refuse(
    `"${duration}" is not an interval of whole seconds from one minute to one year.`,
    'Write hours, minutes and seconds, e.g. @every 6h or @every 1h30m.',
  );
}

function refuse(problem: string, remedy: string): Parsed<never> {
  return { ok: false, problems: [{ path: PATH, problem, remedy }] };
}
