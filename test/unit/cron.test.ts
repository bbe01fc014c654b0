import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Calendar } from '../../functions/core/cron.ts';
import { parseCron } from '../../functions/settings/cron.ts';

const range = (from: number, to: number, step = 1) =>
  Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, n) => from + n * step);
const EVERY: Calendar = {
  minutes: range(0, 59),
  hours: range(0, 23),
  daysOfMonth: range(1, 31),
  months: range(1, 12),
  daysOfWeek: range(0, 6),
};

describe('a cron expression', () => {
  it.each([
    ['* * * * *', {}],
    ['30 2 * * *', { minutes: [30], hours: [2] }],
    ['  5   4 * * *  ', { minutes: [5], hours: [4] }],
    ['*/15 * * * *', { minutes: [0, 15, 30, 45] }],
    ['5/20 * * * *', { minutes: [5, 25, 45] }],
    ['10-20/5,59 * * * *', { minutes: [10, 15, 20, 59] }],
    ['0 22-23,0-2 * * *', { minutes: [0], hours: [0, 1, 2, 22, 23] }],
    ['0 0 1,15 * ?', { minutes: [0], hours: [0], daysOfMonth: [1, 15] }],
    ['0 0 ? * 5', { minutes: [0], hours: [0], daysOfWeek: [5] }],
    ['0 0 * jan-Mar,DEC *', { minutes: [0], hours: [0], months: [1, 2, 3, 12] }],
    ['0 0 * * MON-fri', { minutes: [0], hours: [0], daysOfWeek: [1, 2, 3, 4, 5] }],
    ['0 0 * * 7', { minutes: [0], hours: [0], daysOfWeek: [0] }],
    ['0 0 * * 0,7', { minutes: [0], hours: [0], daysOfWeek: [0] }],
    ['0 0 * * 5-7', { minutes: [0], hours: [0], daysOfWeek: [0, 5, 6] }],
    ['0 0 * * SAT-SUN', { minutes: [0], hours: [0], daysOfWeek: [0, 6] }],
    ['0 0 29 2 *', { minutes: [0], hours: [0], daysOfMonth: [29], months: [2] }],
    ['0 0 31 2 1', { minutes: [0], hours: [0], daysOfMonth: [31], months: [2], daysOfWeek: [1] }],
    ['@yearly', { minutes: [0], hours: [0], daysOfMonth: [1], months: [1] }],
    ['@annually', { minutes: [0], hours: [0], daysOfMonth: [1], months: [1] }],
    ['@monthly', { minutes: [0], hours: [0], daysOfMonth: [1] }],
    ['@weekly', { minutes: [0], hours: [0], daysOfWeek: [0] }],
    ['@daily', { minutes: [0], hours: [0] }],
    ['@midnight', { minutes: [0], hours: [0] }],
    ['@hourly', { minutes: [0] }],
  ])('%s names what it says', (text, named) => {
    expect(parseCron(text)).toEqual({ ok: true, value: { ...EVERY, ...named } });
  });

  it.each([
    ['@every 1m', 60],
    ['@every 90s', 90],
    ['@every 1h30m', 5400],
    ['@every 1.5h', 5400],
    ['@every 36h', 129_600],
    ['@every 60000ms', 60],
    ['@every  24h ', 86_400],
  ])('%s is an interval of %i seconds', (text, everySeconds) => {
    expect(parseCron(text)).toEqual({ ok: true, value: { everySeconds } });
  });

  it.each([
    ['', /0 fields instead of five/, /e\.g\. "30 2 \* \* \*"/],
    ['* * * *', /4 fields/, /minute, hour/],
    ['0 30 2 * * *', /6 fields/, /write "30 2 \* \* \*"/],
    ['0 30 2 * * * 2026', /7 fields/, /minute, hour/],
    ['60 * * * *', /minute 60 does not exist/, /0 to 59/],
    ['0 24 * * *', /hour 24/, /0 to 23/],
    ['0 0 0 * *', /day of the month 0/, /1 to 31/],
    ['0 0 * 13 *', /month 13/, /1 to 12/],
    ['0 0 * * 8', /day of the week 8/, /0 to 7/],
    ['0 0 * * MOO', /"MOO" cannot be read/, /SUN to S/],
    ['0 0 * FEBR *', /"FEBR" cannot be read/, /JAN to DEC/],
    ['MON 0 * * *', /minute "MON" cannot be read/, /0 to 59/],
    ['-1 * * * *', /cannot be read/, /0 to 59/],
    ['1.5 * * * *', /cannot be read/, /0 to 59/],
    ['1,,2 * * * *', /minute "" cannot be read/, /0 to 59/],
    ['? * * * *', /minute "\?" cannot be read/, /Write \*/],
    ['1-2-3 * * * *', /cannot be read/, /1-5/],
    ['*/2/3 * * * *', /cannot be read/, /1-5/],
    ['*/0 * * * *', /step "\/0"/, /1 to 59/],
    ['*/90 * * * *', /step "\/90"/, /@every/],
    ['*/x * * * *', /step "\/x"/, /@every/],
    ['0 0 * * FRI-MON', /runs backwards/, /two ranges/],
    ['0 22-2 * * *', /hour "22-2" runs backwards/, /two ranges/],
    ['0 0 31 2 *', /never comes/, /a day that exists/],
    ['0 0 31 4,6,9,11 *', /never comes/, /enabled to false/],
    ['@dayly', /no "@dayly"/, /Did you mean @daily\?/],
    ['@reboot', /no "@reboot"/, /Known are @yearly/],
    ['@daily 3', /no "@daily 3"/, /@daily/],
    ['@every', /not an interval/, /@every 6h/],
    ['@every 30s', /not an interval/, /@every 6h/],
    ['@every 59999ms', /not an interval/, /@every 6h/],
    ['@every 61.5s', /not an interval/, /@every 6h/],
    ['@every -5m', /not an interval/, /@every 6h/],
    ['@every 1d', /not an interval/, /hours, minutes and seconds/],
    ['@every 99999h', /not an interval/, /@every 6h/],
    ['CRON_TZ=Asia/Tokyo 0 0 * * *', /time zone/, /as timeZone/],
  ])('"%s" is a problem with a remedy', (text, problem, remedy) => {
    expect(parseCron(text)).toEqual({
      ok: false,
      problems: [
        {
          path: 'cron',
          problem: expect.stringMatching(problem),
          remedy: expect.stringMatching(remedy),
        },
      ],
    });
  });

  it('tells of every field that is wrong at once', () => {
    const parsed = parseCron('61 25 32 13 9');
    expect(parsed.ok ? [] : parsed.problems).toHaveLength(5);
  });

  it('never fails on any text in another way than by a problem', () => {
    const words = fc.constantFrom(
      '*',
      '/',
      '-',
      ',',
      '?',
      ' ',
      '0',
      '7',
      '59',
      'MON',
      '@',
      'every',
    );
    const texts = fc.oneof(
      fc.string(),
      fc.array(words).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const parsed = parseCron(text);
        if (!parsed.ok) expect(parsed.problems.length).toBeGreaterThan(0);
      }),
      { numRuns: 2000 },
    );
  });
});
