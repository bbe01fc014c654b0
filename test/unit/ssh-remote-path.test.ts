import { execFileSync } from 'node:child_process';
import { posix } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FerryError } from '../../functions/core/errors.ts';
import { quoteForShell } from '../../functions/destinations/ssh/remote-hash.ts';
import {
  basePath,
  fullPath,
  isTemporary,
  temporaryPath,
} from '../../functions/destinations/ssh/remote-path.ts';

const names = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 80 });
const paths = fc.array(fc.oneof(names, fc.constantFrom('.', '..', '')), {
  minLength: 1,
  maxLength: 5,
});
const ids = fc.stringMatching(/^[0-9a-f]{16}$/);

describe('where a file goes on the server', () => {
  it.each([
    ['/home/ann', '', '/home/ann'],
    ['/home/ann', 'backups/', '/home/ann/backups'],
    ['/home/ann', '/srv/b', '/srv/b'],
    ['/', 'b', '/b'],
  ])('seen from %s, %j is %s', (home, remotePath, base) => {
    expect(basePath(home, remotePath)).toBe(base);
  });

  it('is below the destination, or the name is refused', () => {
    fc.assert(
      fc.property(paths, (parts) => {
        const path = parts.join('/');
        try {
          const full = fullPath('/srv/backups', path);
          expect(posix.resolve(full)).toBe(full);
          expect(full).toBe(path === '' ? '/srv/backups' : `/srv/backups/${path}`);
        } catch (error) {
          if (!(error instanceof FerryError)) throw error;
          expect(error).toMatchObject({ code: 'name-refused', retry: 'never', scope: 'archive' });
        }
      }),
    );
  });

  it.each(['../x', 'a/../../x', 'a/./x', 'a//x', '/etc/passwd', 'a\0b', 'n'.repeat(256)])(
    'is nowhere for %j',
    (path) => {
      expect(() => fullPath('/srv/backups', path)).toThrow(FerryError);
    },
  );
});

describe('the temporary name', () => {
  it('is beside the final one, fits every file system and is known as ours', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 250 }),
        ids,
        (text, id) => {
          const name = text.replaceAll(/[/\0]/g, '_');
          const temporary = temporaryPath(`/srv/${name}`, id);
          expect(posix.dirname(temporary)).toBe('/srv');
          expect(Buffer.byteLength(posix.basename(temporary))).toBeLessThanOrEqual(255);
          expect(posix.basename(temporary).isWellFormed()).toBe(true);
          expect(isTemporary(posix.basename(temporary))).toBe(true);
        },
      ),
    );
  });

  it.each(['.hidden.tar', 'x.part', '.x.0123.part'])('is not taken for one: %s', (name) => {
    expect(isTemporary(name)).toBe(false);
  });
});

describe('a path in a shell command', () => {
  it('is one word, whatever it holds', () => {
    const texts = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\0', ''));
    fc.assert(
      fc.property(texts, (text) => {
        const printed = execFileSync('sh', ['-c', `printf %s ${quoteForShell(text)}`]);
        expect(printed.toString()).toBe(text);
      }),
      { numRuns: 50 },
    );
  });
});
