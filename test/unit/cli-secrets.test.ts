import { describe, expect, it } from 'vitest';
import { hideSecrets, keepHidden } from '../../cli/secrets.ts';

const PASSWORD = 'hunter22';
const web = { type: 'webdav', settings: { WEBDAV_URL: 'https://dav.example.com' } };

describe('settings as they are shown', () => {
  it.each([
    ['among the settings', { web: { ...web, settings: { WEBDAV_PASSWORD: PASSWORD } } }],
    ['under a misspelt name', { web: { ...web, settings: { WEBDAV_PASWORD: PASSWORD } } }],
    ['beside the settings', { web: { ...web, WEBDAV_PASSWORD: PASSWORD } }],
    ['in place of the settings', { web: { type: 'webdav', WEBDAV_PASSWORD: PASSWORD } }],
    ['of no type', { web: { settings: { WEBDAV_PASSWORD: PASSWORD } } }],
    ['in a list of destinations', [{ WEBDAV_PASSWORD: PASSWORD }]],
  ])('have no secret %s, and get it back when they are edited', (_where, destinations) => {
    const spec = { v: 1, destinations };
    const shown = hideSecrets(spec);
    expect(JSON.stringify(shown)).not.toContain(PASSWORD);
    expect(keepHidden(shown, spec)).toEqual(spec);
  });

  it.each([
    ['in spec', { WEBDAV_PASSWORD: PASSWORD }],
    ['in the schedule', { schedule: { cron: '@daily', WEBDAV_PASSWORD: PASSWORD } }],
    ['in a map of a list', { backUp: ['html', { WEBDAV_PASSWORD: PASSWORD }] }],
  ])('have no secret %s, and get it back when they are edited', (_where, beside) => {
    const spec = { v: 1, enabled: true, ...beside, destinations: { web } };
    const shown = hideSecrets(spec);
    expect(JSON.stringify(shown)).not.toContain(PASSWORD);
    expect(shown).toMatchObject({ v: 1, enabled: true, destinations: { web } });
    expect(keepHidden(shown, spec)).toEqual(spec);
  });

  it.each([
    ['from beside the settings', { ...web, WEBDAV_PASSWORD: { sealed: 'abc' } }],
    [
      'from other letters',
      { ...web, settings: { ...web.settings, webdav_password: { sealed: 'abc' } } },
    ],
  ])('let a sealed secret be put where it belongs, %s', (_from, place) => {
    const right = (sealed: unknown) => ({
      v: 1,
      destinations: { web: { ...web, settings: { ...web.settings, WEBDAV_PASSWORD: sealed } } },
    });
    const seen = { v: 1, destinations: { web: place } };
    expect(keepHidden(right('(sealed)'), seen)).toEqual(right({ sealed: 'abc' }));
    const elsewhere = { v: 1, destinations: { other: place } };
    expect(() => keepHidden(right('(sealed)'), elsewhere)).toThrow('Enter it again');
  });

  it('show all that belongs beside the destinations', () => {
    const schedule = { cron: '@daily', timeZone: 'UTC' };
    const spec = { v: 1, enabled: false, schedule, backUp: ['html'], destinations: { web } };
    expect(hideSecrets(spec)).toEqual(spec);
  });

  it('are not taken for secrets anywhere else', () => {
    const spec = {
      v: 1,
      destinations: { web: { ...web, settings: { WEBDAV_PASSWORD: PASSWORD } } },
    };
    expect(() => keepHidden(hideSecrets(spec), undefined)).toThrow('Enter it again');
    expect(hideSecrets({ v: 1, destinations: { web } })).toEqual({ v: 1, destinations: { web } });
  });
});
