import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dropboxSchema, toDropboxSettings } from '../../functions/destinations/dropbox/settings.ts';
import { dropbox } from '../../functions/destinations/dropbox/type.ts';

const GOOD = { DROPBOX_APP_KEY: 'abc123def456ghi', DROPBOX_REFRESH_TOKEN: 'R3-fresh_token' };

function accepted(more: object = {}) {
  const checked = toDropboxSettings(dropboxSchema.parse({ ...GOOD, ...more }));
  if (!checked.ok) throw new Error(JSON.stringify(checked.problems));
  return checked.value;
}

function problems(more: object): readonly { path: string; problem: string; remedy: string }[] {
  const parsed = dropbox.parse({ ...GOOD, ...more });
  return parsed.ok ? [] : parsed.problems;
}

describe('settings of a Dropbox destination', () => {
  it('need the key of the app and a refresh token, and no secret', () => {
    expect(accepted()).toMatchObject({ appKey: 'abc123def456ghi', folder: '', concurrency: 4 });
    expect(accepted().appSecret).toBeUndefined();
    const missing = dropbox.parse({});
    expect(missing.ok ? [] : missing.problems.map(({ path }) => path).sort()).toEqual([
      'DROPBOX_APP_KEY',
      'DROPBOX_REFRESH_TOKEN',
    ]);
  });

  it('refuse an access token with the reason and the way out', () => {
    expect(problems({ DROPBOX_REFRESH_TOKEN: 'sl.B1234' })).toEqual([
      {
        path: 'DROPBOX_REFRESH_TOKEN',
        problem: expect.stringMatching(/four hours/),
        remedy: expect.stringMatching(/ferry dropbox connect/),
      },
    ]);
  });

  it.each([
    ['DROPBOX_APP_KEY', 'abc 123'],
    ['DROPBOX_APP_KEY', 'abc&x=1'],
    ['DROPBOX_APP_SECRET', 'abc&grant_type=x'],
    ['DROPBOX_REFRESH_TOKEN', 'two words'],
    ['DROPBOX_REFRESH_TOKEN', 'a&client_id=other'],
    ['DROPBOX_REMOTE_PATH', 'a/../b'],
    ['DROPBOX_REMOTE_PATH', './a'],
    ['DROPBOX_REMOTE_PATH', 'a\\b'],
    ['DROPBOX_REMOTE_PATH', 'a /b'],
    ['DROPBOX_REMOTE_PATH', `a/${'n'.repeat(256)}`],
    ['DROPBOX_REMOTE_PATH', 'desktop.ini'],
    ['DROPBOX_CONCURRENCY_LEVEL', 0],
    ['DROPBOX_CONCURRENCY_LEVEL', '-1'],
    ['DROPBOX_CONCURRENCY_LEVEL', '1.5'],
    ['DROPBOX_CONCURRENCY_LEVEL', 17],
    ['DROPBOX_ENDPOINT', 'dropbox.example.com'],
    ['DROPBOX_ENDPOINT', 'ftp://dropbox.example.com'],
    ['DROPBOX_OAUTH2_ENDPOINT', 'https://user@dropbox.example.com'],
    ['DROPBOX_OAUTH2_ENDPOINT', 'https://dropbox.example.com/?x=1'],
  ])('refuse %s = %j with a remedy', (name, value) => {
    const found = problems({ [name]: value });
    expect(found.map(({ path }) => path)).toEqual([name]);
    expect(found[0]?.problem).toMatch(/\.$/);
    expect(found[0]?.remedy).toMatch(/\.$|\)\.?$/);
    expect(JSON.stringify(found)).not.toContain('client_id=other');
  });

  it.each([
    ['', ''],
    ['/', ''],
    ['/backups', 'backups'],
    ['backups/of us/', 'backups/of us'],
    ['//a//b', 'a/b'],
    ['cafe\u0301', 'caf\u00e9'],
  ])('take %j as the folder %j', (given, folder) => {
    const parsed = dropbox.parse({ ...GOOD, DROPBOX_REMOTE_PATH: given });
    expect(parsed.ok).toBe(true);
    expect(accepted(given === '' ? {} : { DROPBOX_REMOTE_PATH: given }).folder).toBe(folder);
  });

  it('take numbers as texts, and addresses with a path and a slash at the end', () => {
    expect(accepted({ DROPBOX_CONCURRENCY_LEVEL: '16' }).concurrency).toBe(16);
    const { endpoint } = accepted({ DROPBOX_ENDPOINT: 'http://localhost:1/mock/' });
    expect(endpoint?.href).toBe('http://localhost:1/mock');
  });

  it('never show what is secret', () => {
    const settings = accepted({ DROPBOX_APP_SECRET: 'verysecret' });
    const shown = JSON.stringify(settings);
    expect(shown).not.toContain('verysecret');
    expect(shown).not.toContain(GOOD.DROPBOX_REFRESH_TOKEN);
  });

  it('never throw, whatever is given', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom(...dropbox.settings), fc.jsonValue()),
        (settings) => void dropbox.parse(settings),
      ),
    );
  });
});
