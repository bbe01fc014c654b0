import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { NO_LIMITS } from '../../functions/core/policy.ts';
import { parseDestination } from '../../functions/destinations/registry.ts';
import { splitIssue } from '../../functions/destinations/setting.ts';
import { toWebDavSettings, webDavSchema } from '../../functions/destinations/webdav/settings.ts';

const least = { WEBDAV_URL: 'https://cloud.example.com/remote.php/dav/files/ann' };
const login = { WEBDAV_USERNAME: 'ann', WEBDAV_PASSWORD: 'p:w' };

function settingsOf(given: Record<string, unknown>) {
  const parsed = toWebDavSettings(webDavSchema.parse(given));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.value;
}

function problemOf(given: Record<string, unknown>) {
  const parsed = webDavSchema.safeParse(given);
  if (!parsed.success) {
    const [found] = parsed.error.issues;
    return { path: found?.path.join('.'), ...splitIssue(found?.message ?? '') };
  }
  const settings = toWebDavSettings(parsed.data);
  return settings.ok ? undefined : settings.problems[0];
}

describe('settings of a WebDAV destination', () => {
  it('need no more than an address', () => {
    const settings = settingsOf(least);
    expect(settings.url.href).toBe(`${least.WEBDAV_URL}/`);
    expect(settings).toMatchObject({ folder: '', insecure: false, authorities: [] });
    expect(settings.login).toBeUndefined();
  });

  it('take a user and a password', () => {
    const settings = settingsOf({ ...least, ...login });
    expect(settings.login?.username).toBe('ann');
    expect(settings.login?.password.reveal()).toBe('p:w');
  });

  it.each([
    ['http://nas', 'http://nas/'],
    [' https://nas:5006/home//\n', 'https://nas:5006/home/'],
    ['HTTPS://Nas/Two%20words', 'https://nas/Two%20words/'],
    ['https://nas/two words', 'https://nas/two%20words/'],
    ['https://[2001:db8::1]/dav', 'https://[2001:db8::1]/dav/'],
  ])('take the address %j as %s', (given, href) => {
    expect(settingsOf({ WEBDAV_URL: given }).url.href).toBe(href);
  });

  it.each([
    ['nas/dav', /like https/],
    ['ftp://nas/', /like https/],
    ['davs://nas/dav', /https:\/\//],
    ['dav://nas/dav', /http:\/\//],
    ['https://', /like https/],
    ['https://nas/dav?token=hush', /without it/],
    ['https://nas/dav#x', /without it/],
  ])('refuse the address %j and say how to write it', (given, remedy) => {
    expect(problemOf({ WEBDAV_URL: given })).toMatchObject({
      path: 'WEBDAV_URL',
      remedy: expect.stringMatching(remedy),
    });
  });

  it.each(['https://ann:hush@nas/', 'https://hush@nas/'])(
    'refuse a login in the address and do not repeat it: %s',
    (given) => {
      const problem = problemOf({ WEBDAV_URL: given });
      expect(problem?.remedy).toMatch(/WEBDAV_USERNAME and WEBDAV_PASSWORD/);
      expect(inspect(problem)).not.toContain('hush');
    },
  );

  it.each([
    [undefined, ''],
    ['/', ''],
    ['backups', 'backups'],
    ['/nightly//of us/', 'nightly/of us'],
  ])('take the path %j as %j', (given, folder) => {
    expect(settingsOf({ ...least, WEBDAV_PATH: given }).folder).toBe(folder);
  });

  it.each(['..', 'a/../b', './a'])('refuse the path %j', (given) => {
    expect(problemOf({ ...least, WEBDAV_PATH: given })?.path).toBe('WEBDAV_PATH');
  });

  it.each([
    [{ WEBDAV_USERNAME: 'ann' }, 'WEBDAV_PASSWORD'],
    [{ WEBDAV_PASSWORD: 'pw' }, 'WEBDAV_USERNAME'],
    [{ WEBDAV_USERNAME: 'ann:pw', WEBDAV_PASSWORD: 'pw' }, 'WEBDAV_USERNAME'],
  ])('refuse half a login: %j', (given, path) => {
    expect(problemOf({ ...least, ...given })?.path).toBe(path);
  });

  it('refuse what is said of certificates where there are none', () => {
    const plain = { WEBDAV_URL: 'http://nas/dav' };
    expect(problemOf({ ...plain, WEBDAV_URL_INSECURE: true })?.path).toBe('WEBDAV_URL_INSECURE');
    expect(problemOf({ ...least, WEBDAV_URL_INSECURE: 'no' })).toBeUndefined();
    expect(problemOf({ ...least, WEBDAV_URL_CA_CERT: 'x' })?.path).toBe('WEBDAV_URL_CA_CERT');
  });

  it('are told apart from those that are misspelt', () => {
    const parsed = parseDestination('webdav', { ...least, WEBDAV_USERNAM: 'ann' }, NO_LIMITS);
    expect(parsed).toMatchObject({
      ok: false,
      problems: [
        { path: 'WEBDAV_USERNAM', remedy: expect.stringMatching(/WEBDAV_USERNAME\?.*secret/) },
      ],
    });
  });
});
