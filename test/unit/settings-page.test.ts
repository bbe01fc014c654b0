import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  examplePolicy,
  exampleRow,
  PAGE,
  settingsPage,
  typeReferences,
} from '../../docs/settings/page.ts';
import { DEFAULT_POLICY } from '../../functions/core/policy.ts';
import { destinationTypes } from '../../functions/destinations/registry.ts';
import { parseDestination } from '../../functions/platform/parse-destination.ts';
import { parsePolicy } from '../../functions/policy/policy.ts';
import { policyReference } from '../../functions/policy/reference.ts';
import { POLICY_FIELDS } from '../../functions/policy/schema.ts';
import { specReference } from '../../functions/settings/reference.ts';
import { parseRow } from '../../functions/settings/row.ts';
import { SPEC_FIELDS } from '../../functions/settings/schema.ts';

const page = readFileSync(PAGE, 'utf8');
const TYPES = destinationTypes.map(({ type }) => type);

/** What stands in the code of a cell of a table. */
const inCode = (cell: string) => /^`(.*)`$/.exec(cell)?.[1];

describe('docs/settings.md', () => {
  it('is what `npm run docs` writes', () => {
    expect(page).toBe(settingsPage());
  });

  it('has every type of destination', () => {
    expect(Object.keys(typeReferences).sort()).toEqual([...TYPES].sort());
  });

  it.each(destinationTypes)(
    'has every setting of $type and no other, and knows which are secret',
    ({ type, settings, secrets }) => {
      const reference = Object.entries(typeReferences[type] ?? {});
      expect(reference.map(([name]) => name).sort()).toEqual([...settings].sort());
      const secret = reference.filter(([, { kind }]) => kind === 'secret').map(([name]) => name);
      expect(secret.sort()).toEqual([...secrets].sort());
    },
  );

  it.each(destinationTypes)('says what is required of $type', ({ type, parse }) => {
    const missing = parse({});
    const problems = missing.ok ? [] : missing.problems;
    const told = problems.filter(({ problem }) => problem === 'This setting is missing.');
    const required = Object.entries(typeReferences[type] ?? {})
      .filter(([, line]) => line.default === 'required')
      .map(([name]) => name);
    expect(told.map(({ path }) => path).sort()).toEqual(required.sort());
  });

  it.each(
    Object.entries(typeReferences).flatMap(([type, settings]) =>
      Object.entries(settings).map(([name, { example }]) => ({ type, name, example })),
    ),
  )('has an example of $name that is accepted', ({ type, name, example }) => {
    const destination = destinationTypes.find((one) => one.type === type);
    const parsed = destination?.parse({ [name]: example });
    const problems = parsed?.ok === false ? parsed.problems : [];
    // Other settings are missing here; what this one says is right.
    expect(problems.filter(({ path }) => path === name)).toEqual([]);
  });

  it.each(TYPES)('has a whole row with a destination of type %s that is accepted', (type) => {
    const row = exampleRow(type);
    expect(page).toContain(JSON.stringify(row, null, 2));
    expect(parseRow(row, parseDestination, DEFAULT_POLICY)).toMatchObject({ ok: true });
  });

  it('has every field of the row and of the policy, and no other', () => {
    expect(Object.keys(specReference).sort()).toEqual([...SPEC_FIELDS].sort());
    expect(Object.keys(policyReference).sort()).toEqual([...POLICY_FIELDS].sort());
  });

  it('has a whole policy that is accepted, and the defaults that count', () => {
    const item = z.object({ policy: z.record(z.string(), z.unknown()) }).parse(examplePolicy());
    expect(parsePolicy(item.policy, TYPES)).toMatchObject({ ok: true });
    for (const [name, value] of Object.entries(DEFAULT_POLICY)) {
      const line = Object.entries(policyReference).find(([path]) => path === name)?.[1];
      if (line) expect(line.default).toBe(`\`${value}\``);
    }
  });

  it('begins with a row whose settings are all known', () => {
    const [, example = ''] = page.match(/```json\n(.*?)```/s) ?? [];
    const { spec } = JSON.parse(example);
    for (const [name, { type, settings }] of Object.entries<{ type: string; settings: object }>(
      spec.destinations,
    )) {
      const known = destinationTypes.find((one) => one.type === type)?.settings ?? [];
      expect(known, name).toEqual(expect.arrayContaining(Object.keys(settings)));
    }
  });

  it('has tables that can be read: five cells a line, and code that is closed', () => {
    const lines = page.split('\n').filter((line) => /^\| `[A-Z_a-z.<>]+` \| /.test(line));
    const cells = lines.map((line) => line.split(/(?<!\\)\|/).slice(1, -1));
    const fields = cells.filter((each) => each.length === 5);
    expect(fields.length).toBeGreaterThan(60);
    for (const [, , , example = ''] of fields) expect(inCode(example.trim())).toBeTruthy();
  });
});
