import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NO_LIMITS } from '../../functions/core/policy.ts';
import { parseDestination } from '../../functions/destinations/registry.ts';
import { parseRow } from '../../functions/settings/row.ts';
import { upgradeSpec, type Versions } from '../../functions/settings/upgrades.ts';

const SETTINGS = { SSH_HOST_NAME: 'nas.example.org', SSH_USER: 'ada', SSH_PASSWORD: 'tr0ub4dor' };
const today = {
  userId: 'ada',
  spec: { v: 1, destinations: { nas: { type: 'ssh', settings: SETTINGS } } },
  status: { v: 1 },
};

/** As if there had been two versions before the first: one with a single place, one that called it so. */
const THREE: Versions = {
  first: -1,
  upgrades: [
    ({ place, ...rest }) => ({ ...rest, places: { nas: place } }),
    ({ places, ...rest }) => ({ ...rest, destinations: places }),
  ],
};

describe('a row of an older version', () => {
  it.each([
    ['two versions back', { v: -1, place: { type: 'ssh', settings: SETTINGS } }],
    ['one version back', { v: 0, places: { nas: { type: 'ssh', settings: SETTINGS } } }],
  ])('is read as if it had been written in today’s form: %s', (_what, spec) => {
    const upgraded = upgradeSpec({ ...today, spec }, THREE);
    expect(upgraded).toEqual(today);
    expect(parseRow(upgraded, parseDestination, NO_LIMITS).ok).toBe(true);
  });

  it('is refused like any other where what it says is wrong', () => {
    const upgraded = upgradeSpec({ ...today, spec: { v: 0, places: {}, colour: 'red' } }, THREE);
    expect(parseRow(upgraded, parseDestination, NO_LIMITS)).toMatchObject({
      ok: false,
      problems: expect.arrayContaining([expect.objectContaining({ path: 'spec.colour' })]),
    });
  });

  it.each([-2, 2, 7, '0', undefined])(
    'whose version is %s is left for the schema to refuse',
    (v) => {
      const item = { ...today, spec: { ...today.spec, v } };
      expect(upgradeSpec(item, THREE)).toBe(item);
      expect(parseRow(item, parseDestination, NO_LIMITS)).toMatchObject({
        ok: false,
        problems: [{ path: 'spec.v', remedy: 'Give the number 1.' }],
      });
    },
  );

  it('does not change rows of today, nor what is no row', () => {
    expect(upgradeSpec(today, THREE)).toBe(today);
    fc.assert(fc.property(fc.anything(), (item) => Object.is(upgradeSpec(item), item)));
  });
});
