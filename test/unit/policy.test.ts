import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextMinute, shortestGap } from '../../functions/core/cron.ts';
import {
  countProblems,
  DEFAULT_POLICY,
  intervalProblems,
  monthBytesProblem,
  type Policy,
  runBytesProblem,
  traitProblems,
  typeProblems,
} from '../../functions/core/policy.ts';
import { parsePolicy } from '../../functions/policy/policy.ts';
import { parseCron } from '../../functions/settings/cron.ts';

const TYPES = ['azure', 'dropbox', 's3', 'ssh', 'webdav'];

function policy(written: object): Policy {
  const parsed = parsePolicy({ v: 1, ...written }, TYPES);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.value;
}

function ruleOf(cron: string) {
  const parsed = parseCron(cron);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.value;
}

describe('a policy', () => {
  it('that says nothing is the one that counts without any', () => {
    expect(policy({})).toEqual(DEFAULT_POLICY);
  });

  it('says what users may do', () => {
    const written = {
      types: ['s3', 'ssh'],
      shortestIntervalMinutes: 60,
      mostDestinations: 3,
      mostBytesPerRun: 10 ** 12,
      mostBytesPerMonth: 10 ** 13,
      mostJobsAtOnce: 2,
      network: {
        allow: ['10.1.0.0/16', '192.168.4.7', 'fd00::/8', '::1', 'nas.example.org', '*.lan'],
        ports: { ssh: ['22', '1024-65535'], s3: [443] },
      },
      plainHttp: true,
      insecureTls: true,
      trustFirstHostKey: true,
      windowMinutes: 0,
    };
    const read = policy(written);
    expect(read).toMatchObject({ ...written, network: { allow: written.network.allow } });
    expect(read.network).toEqual({
      allow: written.network.allow,
      ports: {
        ssh: [
          { from: 22, to: 22 },
          { from: 1024, to: 65_535 },
        ],
        s3: [{ from: 443, to: 443 }],
      },
    });
  });

  it.each<[string, unknown, string, RegExp, RegExp]>([
    ['is missing', undefined, 'policy', /missing/, /map with v and rules/],
    ['is a text', 'all', 'policy', /not a map/, /map with v and rules/],
    ['has no version', {}, 'policy.v', /missing/, /the number 1/],
    ['has a later version', { v: 2 }, 'policy.v', /not the number 1/, /the number 1/],
    ['misspells a rule', { v: 1, plainHTTP: true }, 'policy.plainHTTP', /nothing/, /plainHttp\?/],
    [
      'misspells a rule further in',
      { v: 1, network: { alow: [] } },
      'policy.network.alow',
      /nothing/,
      /Did you mean allow\?/,
    ],
    ['names no type', { v: 1, types: [] }, 'policy.types', /not a list of types/, /Give/],
    [
      'misspells a type',
      { v: 1, types: ['s3', 'shh'] },
      'policy.types.1',
      /no destination type "shh"/,
      /Did you mean ssh\?/,
    ],
    [
      'misspells the type of a port',
      { v: 1, network: { ports: { sshh: ['22'] } } },
      'policy.network.ports.sshh',
      /no destination type/,
      /Did you mean ssh\?/,
    ],
    ['counts by texts', { v: 1, mostDestinations: '3' }, 'policy.mostDestinations', /not a/, /50/],
    ['allows none', { v: 1, mostDestinations: 0 }, 'policy.mostDestinations', /not a/, /from 1/],
    ['has half a byte', { v: 1, mostBytesPerRun: 0.5 }, 'policy.mostBytesPerRun', /not/, /whole/],
    ['has a text for a switch', { v: 1, insecureTls: 'no' }, 'policy.insecureTls', /not/, /true/],
    [
      'has no such port',
      { v: 1, network: { ports: { ssh: ['70000'] } } },
      'policy.network.ports.ssh.0',
      /not a port/,
      /range/,
    ],
    [
      'has a range backwards',
      { v: 1, network: { ports: { ssh: ['30-20'] } } },
      'policy.network.ports.ssh.0',
      /not a port/,
      /range/,
    ],
    ...['10.0.0.0/33', '10.0.0/8', '300.1.1.1', 'https://nas', '*', 'a b', 'fd00::/129'].map(
      (entry): [string, unknown, string, RegExp, RegExp] => [
        `allows ${entry}`,
        { v: 1, network: { allow: [entry] } },
        'policy.network.allow.0',
        /not an address/,
        /CIDR/,
      ],
    ),
  ])('that %s is refused at its place', (_what, written, path, problem, remedy) => {
    const parsed = parsePolicy(written, TYPES);
    expect(parsed).toMatchObject({
      ok: false,
      problems: [
        {
          path,
          problem: expect.stringMatching(problem),
          remedy: expect.stringMatching(remedy),
        },
      ],
    });
  });

  it('never throws, whatever is written', () => {
    fc.assert(
      fc.property(fc.anything(), (given) => typeof parsePolicy(given, TYPES).ok === 'boolean'),
    );
  });
});

describe('what it forbids names the rule and what to do', () => {
  it('a schedule that runs too often', () => {
    const hourly = policy({ shortestIntervalMinutes: 60 });
    expect(intervalProblems(hourly, ruleOf('@hourly'))).toEqual([]);
    expect(intervalProblems(hourly, ruleOf('@every 1h'))).toEqual([]);
    for (const cron of ['*/30 * * * *', '@every 59m', '0,50 3 * * *']) {
      expect(intervalProblems(hourly, ruleOf(cron))).toMatchObject([
        {
          path: 'cron',
          rule: 'shortestIntervalMinutes',
          problem: expect.stringContaining('(shortestIntervalMinutes)'),
          remedy: expect.stringContaining('60 minutes or more'),
        },
      ]);
    }
    const weekly = policy({ shortestIntervalMinutes: 7 * 24 * 60 });
    expect(intervalProblems(weekly, ruleOf('0 0 1 * *'))).toEqual([]);
    expect(intervalProblems(weekly, ruleOf('0 0 * * 0'))).toEqual([]);
    expect(intervalProblems(weekly, ruleOf('0 0 1,7 * *'))).toHaveLength(1);
  });

  it('too many destinations, a type, plain http and any certificate', () => {
    const strict = policy({ mostDestinations: 2, types: ['s3', 'azure'] });
    expect(countProblems(strict, 2)).toEqual([]);
    expect(countProblems(strict, 3)[0]).toMatchObject({
      path: 'destinations',
      rule: 'mostDestinations',
      remedy: 'Remove 1 destination, or ask the operator to change mostDestinations.',
    });
    expect(typeProblems(strict, 'azure')).toEqual([]);
    expect(typeProblems(strict, 'ssh')[0]).toMatchObject({
      path: 'type',
      rule: 'types',
      remedy: expect.stringContaining('s3, azure'),
    });
    const traits = {
      hosts: [],
      plainHttp: [{ setting: 'WEBDAV_URL', toHttps: 'begin WEBDAV_URL with https' }],
      insecureTls: { setting: 'WEBDAV_URL_INSECURE', authority: 'WEBDAV_URL_CA_CERT' },
    };
    expect(traitProblems(strict, traits)).toMatchObject([
      { path: 'WEBDAV_URL', rule: 'plainHttp' },
      { path: 'WEBDAV_URL_INSECURE', rule: 'insecureTls' },
    ]);
    expect(traitProblems(policy({ plainHttp: true, insecureTls: true }), traits)).toEqual([]);
  });

  it('too many bytes', () => {
    const small = policy({ mostBytesPerRun: 100, mostBytesPerMonth: 1000 });
    expect(runBytesProblem(small, 100)).toBeUndefined();
    expect(runBytesProblem(small, 101)).toMatch(/101 bytes.*mostBytesPerRun.*backUp/);
    expect(monthBytesProblem(small, 900, 100)).toBeUndefined();
    expect(monthBytesProblem(small, 901, 100)).toMatch(/mostBytesPerMonth.*next month/);
    expect(runBytesProblem(policy({}), Number.MAX_SAFE_INTEGER)).toBeUndefined();
  });
});

describe('the shortest gap of a calendar', () => {
  it('is what going through the minutes finds', () => {
    const some = (min: number, max: number) =>
      fc
        .uniqueArray(fc.integer({ min, max }), { minLength: 1, maxLength: 3 })
        .map((list) => list.sort((a, b) => a - b));
    const calendars = fc.record({
      minutes: some(0, 59),
      hours: some(0, 23),
      daysOfMonth: some(1, 28),
      months: some(1, 12),
      daysOfWeek: fc.constant([0, 1, 2, 3, 4, 5, 6]),
    });
    fc.assert(
      fc.property(calendars, (calendar) => {
        let found = Number.POSITIVE_INFINITY;
        const twoYears = 2 * 366 * 24 * 60;
        let at = nextMinute(calendar, 0, Number.POSITIVE_INFINITY) ?? 0;
        const end = at + twoYears;
        while (at < end) {
          const next = nextMinute(calendar, at + 1, Number.POSITIVE_INFINITY) ?? end;
          found = Math.min(found, next - at);
          at = next;
        }
        // Two years have every pair of neighbours but those around 29 February.
        expect(shortestGap(calendar)).toBeLessThanOrEqual(found);
        expect(found - shortestGap(calendar)).toBeLessThanOrEqual(24 * 60);
      }),
      { numRuns: 40 },
    );
  });

  it.each([
    ['* * * * *', 1],
    ['59 23 * * *', 24 * 60],
    ['0,59 0,23 * * *', 1],
    ['0 12 * * 1,2', 24 * 60],
    ['0 0 29 2 *', 4 * 365.25 * 24 * 60],
  ])('of %s is %d minutes', (cron, minutes) => {
    const rule = ruleOf(cron);
    expect('minutes' in rule && shortestGap(rule)).toBe(minutes);
  });
});
