import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NO_LIMITS } from '../../functions/core/policy.ts';
import type { Parsed, Problem } from '../../functions/core/problem.ts';
import { activeDestinations, type User } from '../../functions/core/user.ts';
import { parseDestination } from '../../functions/destinations/registry.ts';
import { parseRow, readRow } from '../../functions/settings/row.ts';

const SSH = { SSH_HOST_NAME: 'nas.example.org', SSH_USER: 'ada', SSH_PASSWORD: 'tr0ub4dor' };
const nas = { type: 'ssh', settings: SSH };

/** Takes any settings but `{ bad: … }`. */
function parseAnything(type: string, settings: object): Parsed<string> {
  if (type === 'unheard') {
    return {
      ok: false,
      problems: [{ path: 'type', problem: 'No such type.', remedy: 'Use ssh.' }],
    };
  }
  const problems = Object.keys(settings)
    .filter((name) => name.startsWith('BAD'))
    .map((path) => ({ path, problem: 'This is bad.', remedy: 'Make it good.' }));
  return problems.length > 0 ? { ok: false, problems } : { ok: true, value: type };
}

const row = (spec: unknown, rest: object = {}) => ({ userId: 'ada', spec, ...rest });
const rowWith = (part: object) => row({ v: 1, destinations: { nas }, ...part });

function user(item: unknown): User<string> {
  const parsed = parseRow(item, parseAnything, NO_LIMITS);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.value;
}

function problems(item: unknown): readonly Problem[] {
  const parsed = parseRow(item, parseAnything, NO_LIMITS);
  return parsed.ok ? [] : parsed.problems;
}

describe('a settings row', () => {
  it('needs no more than a destination: every day, everything', () => {
    const { id, enabled, schedule, backUp, destinations } = user(rowWith({}));
    expect({ id, enabled, backUp }).toEqual({ id: 'ada', enabled: true, backUp: 'everything' });
    expect(schedule).toMatchObject({ cron: '@daily', timeZone: 'UTC' });
    expect([...destinations]).toEqual([
      ['nas', { type: 'ssh', enabled: true, verify: 'size', configured: 'ssh' }],
    ]);
  });

  it('says when, what and where to', () => {
    const spec = {
      v: 1,
      enabled: true,
      schedule: { cron: '30 2 * * *', timeZone: 'Europe/Berlin' },
      backUp: ['html', 'mysql'],
      destinations: { nas, 'cold-store': { type: 's3', enabled: false, settings: {} } },
    };
    const { schedule, backUp, destinations } = user(row(spec));
    expect(schedule).toMatchObject({ cron: '30 2 * * *', timeZone: 'Europe/Berlin' });
    expect(backUp).toEqual(['html', 'mysql']);
    expect([...destinations.keys()]).toEqual(['nas', 'cold-store']);
  });

  it('runs to the destinations that are switched on, and nowhere while it is switched off itself', () => {
    const destinations = { nas, off: { ...nas, enabled: false } };
    expect(activeDestinations(user(rowWith({ destinations })))).toEqual(['nas']);
    expect(activeDestinations(user(rowWith({ destinations, enabled: false })))).toEqual([]);
  });

  it('may hold whatever the pipeline wrote', () => {
    expect(problems({ ...rowWith({}), status: { v: 9 }, dueShard: 'due#001', dueAt: 'x' })).toEqual(
      [],
    );
  });

  it('is read by the real destination types', () => {
    const destinations = { nas: { type: 'ssh', settings: { ...SSH, SSH_PORT: 'many' } } };
    const parsed = parseRow(rowWith({ destinations }), parseDestination, NO_LIMITS);
    const paths = parsed.ok ? [] : parsed.problems.map(({ path }) => path);
    expect(paths).toContain('spec.destinations.nas.settings.SSH_PORT');
  });
});

describe('a mistake in a settings row is told at its place', () => {
  it.each([
    ['no spec', { userId: 'ada' }, 'spec', /missing/],
    ['a spec that is a text', row('all'), 'spec', /not a map/],
    ['a bad user id', { ...rowWith({}), userId: 'a/b' }, 'userId', /letters, digits/],
    ['a user id of dots', { ...rowWith({}), userId: '..' }, 'userId', /dots/],
    ['no version', row({ destinations: { nas } }), 'spec.v', /missing/],
    ['another version', rowWith({ v: 2 }), 'spec.v', /the number 1/],
    ['a misspelt name', rowWith({ shedule: {} }), 'spec.shedule', /Did you mean schedule\?/],
    ['a text for a switch', rowWith({ enabled: 'yes' }), 'spec.enabled', /true or false/],
    ['an unknown selection', rowWith({ backUp: 'html' }), 'spec.backUp', /list of components/],
    ['an empty selection', rowWith({ backUp: [] }), 'spec.backUp', /list of components/],
    ['a component with a slash', rowWith({ backUp: ['a/b'] }), 'spec.backUp.0', /slash/],
    ['a schedule as text', rowWith({ schedule: '@daily' }), 'spec.schedule', /cron and timeZone/],
    [
      'a bad cron',
      rowWith({ schedule: { cron: '61 * * * *' } }),
      'spec.schedule.cron',
      /minute 61/,
    ],
    [
      'a number for cron',
      rowWith({ schedule: { cron: 5 } }),
      'spec.schedule.cron',
      /a text such as/,
    ],
    [
      'a misspelt zone',
      rowWith({ schedule: { timeZone: 'Europe/Berln' } }),
      'spec.schedule.timeZone',
      /Did you mean Europe\/Berlin\?/,
    ],
    [
      'a city for a zone',
      rowWith({ schedule: { timeZone: 'new york' } }),
      'spec.schedule.timeZone',
      /Did you mean America\/New_York\?/,
    ],
    [
      'an offset for a zone',
      rowWith({ schedule: { timeZone: '+02:00' } }),
      'spec.schedule.timeZone',
      /IANA/,
    ],
    [
      'a misspelt name in the schedule',
      rowWith({ schedule: { timezone: 'UTC' } }),
      'spec.schedule.timezone',
      /Did you mean timeZone\?/,
    ],
    [
      'a way to verify that there is not',
      rowWith({ destinations: { nas: { type: 'ssh', verify: 'sha256', settings: {} } } }),
      'spec.destinations.nas.verify',
      /"size", "checksum" or "readback"/,
    ],
    ['no destination', rowWith({ destinations: {} }), 'spec.destinations', /at least one/],
    [
      'more destinations than anybody has',
      rowWith({
        destinations: Object.fromEntries(
          Array.from({ length: 51 }, (_, n) => [`d${n}`, { type: 'ssh', settings: {} }]),
        ),
      }),
      'spec.destinations',
      /at most 50/,
    ],
    ['no destinations', row({ v: 1 }), 'spec.destinations', /missing/],
    ['a list of destinations', rowWith({ destinations: [nas] }), 'spec.destinations', /by name/],
    [
      'a bad name',
      rowWith({ destinations: { 'My NAS': nas } }),
      'spec.destinations.My NAS',
      /lowercase/,
    ],
    [
      'no type',
      rowWith({ destinations: { nas: { settings: {} } } }),
      'spec.destinations.nas.type',
      /missing/,
    ],
    [
      'an unknown type',
      rowWith({ destinations: { nas: { type: 'unheard', settings: {} } } }),
      'spec.destinations.nas.type',
      /Use ssh/,
    ],
    [
      'no settings',
      rowWith({ destinations: { nas: { type: 'ssh' } } }),
      'spec.destinations.nas.settings',
      /missing/,
    ],
    [
      'a misspelt name in a destination',
      rowWith({ destinations: { nas: { ...nas, enable: true } } }),
      'spec.destinations.nas.enable',
      /Did you mean enabled\?/,
    ],
    [
      'a refused setting',
      rowWith({ destinations: { nas: { type: 'ssh', settings: { BAD_PORT: 1 } } } }),
      'spec.destinations.nas.settings.BAD_PORT',
      /Make it good/,
    ],
  ])('%s', (_what, item, path, words) => {
    const found = problems(item);
    expect(found.map((problem) => problem.path)).toEqual([path]);
    expect(`${found[0]?.problem} ${found[0]?.remedy}`).toMatch(words);
  });

  it('a misspelt spec, which is then also missing', () => {
    const found = problems({ userId: 'ada', specs: {} });
    expect(found.map(({ path }) => path)).toEqual(['spec', 'specs']);
    expect(found[1]?.remedy).toMatch(/Did you mean spec\?/);
  });

  it('together with all the others', () => {
    const spec = {
      v: 1,
      enable: true,
      schedule: { cron: '61 25 * * *', timeZone: 'Mars', zone: 1 },
      backUp: 'nothing',
      destinations: {
        NAS: { type: 'ssh', settings: { BAD_A: 1, BAD_B: 2 }, enabled: 1, colour: 'red' },
        good: nas,
        odd: 7,
      },
    };
    expect(
      problems({ userId: 'a#b', spec })
        .map(({ path }) => path)
        .sort(),
    ).toEqual([
      'spec.backUp',
      'spec.destinations.NAS',
      'spec.destinations.NAS.colour',
      'spec.destinations.NAS.enabled',
      'spec.destinations.NAS.settings.BAD_A',
      'spec.destinations.NAS.settings.BAD_B',
      'spec.destinations.odd',
      'spec.enable',
      'spec.schedule.cron',
      'spec.schedule.cron',
      'spec.schedule.timeZone',
      'spec.schedule.zone',
      'userId',
    ]);
  });

  it('and repeats no password', () => {
    const destinations = { nas: { ...nas, colour: 'red', enabled: 'x' } };
    expect(problems(rowWith({ destinations })).length).toBeGreaterThan(0);
    expect(JSON.stringify(problems(rowWith({ destinations })))).not.toContain('tr0ub4dor');
  });

  it('and no value at all makes reading fail in another way', () => {
    const anyRow = fc.oneof(
      fc.anything(),
      fc.record({ userId: fc.anything(), spec: fc.anything() }),
      fc.record({
        userId: fc.string(),
        spec: fc.record(
          {
            v: fc.constantFrom(1, '1'),
            schedule: fc.oneof(fc.anything(), fc.dictionary(fc.string(), fc.string())),
            destinations: fc.oneof(fc.anything(), fc.dictionary(fc.string(), fc.anything())),
          },
          { requiredKeys: [] },
        ),
      }),
    );
    fc.assert(
      fc.property(anyRow, (item) => {
        const parsed = parseRow(item, parseDestination, NO_LIMITS);
        expect(parsed.ok).toBe(false);
        if (!parsed.ok) expect(parsed.problems.length).toBeGreaterThan(0);
      }),
      { numRuns: 500 },
    );
  });
});

describe('a row with more mistakes than it has room for', () => {
  it('is told the first ones, and how many there are beside', () => {
    const names = Array.from({ length: 3_000 }, (_, at) => [`X${at}`, 'x']);
    const found = problems(rowWith(Object.fromEntries(names)));
    expect(found).toHaveLength(51);
    expect(found.at(-1)).toMatchObject({ problem: 'There are 2950 more problems.' });
  });

  it('is told of a name as long as the row in few words', () => {
    const found = problems(rowWith({ ['X'.repeat(300_000)]: 'x' }));
    expect(JSON.stringify(found).length).toBeLessThan(5_000);
  });
});

describe('the content of a row', () => {
  const hash = (item: object) => readRow(item, parseAnything, NO_LIMITS).specHash;

  it('has the same name in whatever order it is listed', () => {
    const one = { v: 1, destinations: { a: nas, b: { settings: SSH, type: 'ssh' } } };
    const other = { destinations: { b: { type: 'ssh', settings: SSH }, a: nas }, v: 1 };
    expect(hash(row(one))).toBe(hash(row(other)));
  });

  it('has another name after any change of spec, however deep, and of nothing else', () => {
    const deep = (password: string) =>
      rowWith({
        destinations: { nas: { type: 'ssh', settings: { ...SSH, SSH_PASSWORD: password } } },
      });
    expect(hash(deep('one'))).not.toBe(hash(deep('two')));
    expect(hash({ ...deep('one'), status: { v: 1 }, dueAt: 'x' })).toBe(hash(deep('one')));
  });

  it('is read with what the pipeline noted, as far as that is readable', () => {
    const status = { v: 1, specHash: 'abc' };
    const noted = { ...rowWith({}), status, dueShard: 'due#001', dueAt: '2026-11-22T00:00:00Z' };
    expect(readRow(noted, parseAnything, NO_LIMITS)).toMatchObject({
      user: { ok: true },
      checkedHash: 'abc',
      due: { shard: 'due#001', at: '2026-11-22T00:00:00Z' },
    });
    const spoilt = readRow(
      { ...rowWith({}), status: 'fine', dueShard: 'due#001' },
      parseAnything,
      NO_LIMITS,
    );
    expect(spoilt).toMatchObject({ user: { ok: true }, checkedHash: undefined, due: undefined });
  });
});
