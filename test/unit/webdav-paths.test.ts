import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chunkPlaces, toCloud } from '../../functions/destinations/webdav/nextcloud.ts';
import { childrenOf } from '../../functions/destinations/webdav/properties.ts';
import { redirected } from '../../functions/destinations/webdav/redirect.ts';
import {
  decodeNames,
  encodeNames,
  isTemporary,
  namesOf,
  temporaryName,
} from '../../functions/destinations/webdav/remote-path.ts';
import { openServer } from '../../functions/destinations/webdav/server.ts';
import { LOOPBACK } from '../contract/surroundings.ts';

const ID = '0123456789abcdef';
const name = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
  .filter((text) => !/[/\0]/.test(text) && text !== '.' && text !== '..');

describe('a path on a WebDAV server', () => {
  it('comes back as it was through an address, whatever is in its names', () => {
    fc.assert(
      fc.property(fc.array(name, { minLength: 1, maxLength: 4 }), (names) => {
        const { pathname, search, hash } = new URL(`https://nas/${encodeNames(names)}`);
        expect(decodeNames(pathname)).toEqual(names);
        expect(search + hash).toBe('');
      }),
    );
  });

  it.each(['a//b', '/a', '..', 'a/../b', '.', 'a\0b', 'x'.repeat(256), '\ud800'])(
    'is refused for that archive alone where no folder can hold it: %j',
    (path) => {
      expect(() => namesOf(path)).toThrow(
        expect.objectContaining({ code: 'name-refused', retry: 'never', scope: 'archive' }),
      );
    },
  );

  it('is nothing for the folder itself, and may end with a slash', () => {
    expect(namesOf('')).toEqual([]);
    expect(namesOf('a/b/')).toEqual(['a', 'b']);
  });

  it('that is not encoded properly is taken as it stands', () => {
    expect(decodeNames('/a%20b/100%/c%ff')).toEqual(['a b', '100%', 'c%ff']);
  });
});

describe('the temporary name of a file', () => {
  it('is one of ours, fits everywhere and says which transfer it is of', () => {
    fc.assert(
      fc.property(
        fc
          .string({ unit: 'grapheme', minLength: 1, maxLength: 255 })
          .filter((t) => !t.includes('/')),
        (final) => {
          const temporary = temporaryName(final, ID);
          expect(isTemporary(temporary)).toBe(true);
          expect(temporary).toContain(ID);
          expect(Buffer.byteLength(temporary)).toBeLessThanOrEqual(143);
          expect(temporary.isWellFormed()).toBe(true);
        },
      ),
    );
  });

  it('begins with what no server refuses, and keeps the name where there is room', () => {
    expect(temporaryName('html.tar', ID)).toBe(`.ferry-${ID}-html.tar`);
    expect(temporaryName(`${'x'.repeat(118)} .tar`, ID)).toBe(`.ferry-${ID}-${'x'.repeat(118)}`);
  });

  it.each(['.ferry', `.ferry-${ID.slice(1)}-a`, `ferry-${ID}-a`, `.ferry-${ID}a`, 'a.tar'])(
    'is not taken for one: %s',
    (other) => expect(isTemporary(other)).toBe(false),
  );
});

describe('an answer about a folder', () => {
  const url = 'https://nas:5006/dav/of%20us/';
  const names = (...hrefs: string[]) =>
    childrenOf(
      url,
      hrefs.map((href) => ({ href })),
    ).map(({ href }) => href);

  it.each([
    ['paths', '/dav/of%20us/', '/dav/of%20us/a%23b.tar'],
    ['whole addresses', 'https://nas:5006/dav/of%20us/', 'https://nas:5006/dav/of%20us/a.tar'],
    ['another encoding', '/dav/of us', '/dav/%6ff%20us/a.tar'],
    ['names that are not encoded', '/dav/of us/', '/dav/of us/a#b?c.tar'],
    ['another beginning, behind a proxy', '/internal/x/dav/of%20us/', '/internal/x/dav/of%20us/a'],
    ['folders with a slash', '/dav/of%20us/', '/dav/of%20us/folder/'],
  ])('may have %s', (_what, own, child) => {
    expect(names(own, child)).toEqual([child]);
    expect(names(child, own)).toEqual([child]);
  });

  it('that tells of deeper ones as well is taken for what was asked', () => {
    expect(names('/dav/of%20us/', '/dav/of%20us/a/', '/dav/of%20us/a/b')).toEqual([
      '/dav/of%20us/a/',
    ]);
  });
});

describe('a redirect', () => {
  const base = new URL('http://nas/dav/');
  const asked = new URL('http://nas/dav/html/a%20b.tar');

  it.each([
    ['https://nas/dav/html/a%20b.tar', 'Set WEBDAV_URL to https://nas/dav/.'],
    ['https://nas:5006/x/html/a%20b.tar', 'Set WEBDAV_URL to https://nas:5006/x/.'],
    ['/other/html/a%20b.tar/', 'Set WEBDAV_URL to http://nas/other/.'],
    ['https://evil.example/login?next=x', 'give its address in WEBDAV_URL'],
    ['https://nas/login?user=ann&token=hush', 'https://nas/login.'],
  ])('to %s is told as what to change', (location, words) => {
    const error = redirected(asked, base, location);
    expect(error).toMatchObject({ code: 'protocol', retry: 'never' });
    expect(error.message).toContain(words);
    expect(error.message).not.toContain('hush');
  });

  it('to nowhere is told, too', () => {
    expect(redirected(asked, base, null).message).toContain('WEBDAV_URL');
  });
});

describe('the address of a Nextcloud', () => {
  it.each([
    ['https://c/remote.php/dav/files/ann/', { user: 'ann', below: [] }],
    ['https://c/sub/remote.php/dav/files/a%40b/x/y/', { user: 'a@b', below: ['x', 'y'] }],
    ['https://c/remote.php/webdav/x/', { below: ['x'] }],
  ])('is read: %s', (url, cloud) => {
    expect(toCloud(new URL(url))).toMatchObject(cloud);
  });

  it.each([
    'https://c/dav/files/ann/',
    'https://c/remote.php/dav/calendars/ann/',
    'https://c/remote.php/dav/files/',
    'https://c/public.php/webdav/',
  ])('is not taken for one: %s', (url) => {
    expect(toCloud(new URL(url))).toBeUndefined();
  });

  it('gives chunks names that sort, and every file its address below the user', () => {
    const settings = { folder: 'of us', insecure: false, authorities: [] };
    const url = new URL('https://c/sub/remote.php/webdav/x/');
    const server = openServer({ ...settings, url }, LOOPBACK);
    const places = chunkPlaces(server, 'a@b', 'html/a#b.tar', 'ferry-1');
    const dav = 'https://c/sub/remote.php/dav';
    expect(places).toMatchObject({
      folder: `${dav}/uploads/a%40b/ferry-1/`,
      whole: `${dav}/uploads/a%40b/ferry-1/.file`,
      final: `${dav}/files/a%40b/x/of%20us/html/a%23b.tar`,
    });
    const chunks = [0, 8, 9, 99, 9999].map((number) => places.chunk(number).split('/').at(-1));
    expect(chunks).toEqual(['00001', '00009', '00010', '00100', '10000']);
    server.close();
  });
});
