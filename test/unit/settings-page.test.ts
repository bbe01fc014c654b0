import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { destinationTypes } from '../../functions/destinations/registry.ts';

const page = readFileSync(new URL('../../docs/settings.md', import.meta.url), 'utf8');

describe('docs/settings.md', () => {
  it.each(destinationTypes.map(({ type, settings }) => [type, settings] as const))(
    'has a section for %s with every setting it knows, and no other',
    (type, settings) => {
      const [, section = ''] = page.split(`\n## ${type}\n`);
      const [table = ''] = section.split('\n## ');
      const names = [...table.matchAll(/^\| (`[A-Z0-9_`, ]+`) \|/gm)].flatMap(([, cell = '']) =>
        [...cell.matchAll(/`([A-Z0-9_]+)`/g)].map(([, name]) => name),
      );
      expect(names.sort()).toEqual([...settings].sort());
    },
  );

  it('names every setting that is secret, and no other', () => {
    const [, sentence = ''] = /^Secret are (.*)$/m.exec(page) ?? [];
    const names = [...sentence.matchAll(/`([A-Z_]+)`/g)].map(([, name]) => name);
    expect(names.sort()).toEqual(destinationTypes.flatMap(({ secrets }) => secrets).sort());
  });

  it('shows a row whose settings are all known', () => {
    const [, example = ''] = page.match(/```json\n(.*?)```/s) ?? [];
    const { spec } = JSON.parse(example);
    for (const [name, { type, settings }] of Object.entries<{ type: string; settings: object }>(
      spec.destinations,
    )) {
      const known = destinationTypes.find((one) => one.type === type)?.settings ?? [];
      expect(known, name).toEqual(expect.arrayContaining(Object.keys(settings)));
    }
  });
});
