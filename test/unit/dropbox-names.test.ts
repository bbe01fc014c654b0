import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  fromApiPath,
  isTwin,
  pathProblem,
  toApiPath,
} from '../../functions/destinations/dropbox/names.ts';
import { nameProblem } from '../../local/dropbox/names.ts';

describe('names at Dropbox', () => {
  it.each([
    ['html/a\\b.tar', /backslash/],
    ['html/a.tar ', /space at its end/],
    ['html /a.tar', /space at its end/],
    [`html/${'x'.repeat(256)}`, /255/],
    ['html/Thumbs.db', /operating system/],
    ['html/a\u007f', /control/],
  ])('%j cannot be kept, and why is said', (path, words) => {
    expect(pathProblem(path)).toMatch(words);
  });

  it('are refused here exactly where the fake refuses them', () => {
    const name = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
      .filter((text) => !text.includes('/'));
    const odd = fc.constantFrom(
      '.',
      '..',
      '.dropbox',
      'Desktop.INI',
      'a ',
      '\\',
      'icon\r',
      'a.tar',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(name, odd), { minLength: 1, maxLength: 4 }), (names) => {
        const path = names.join('/');
        const refused = nameProblem(`/${path}`) !== undefined;
        expect(pathProblem(path) !== undefined).toBe(refused);
      }),
    );
  });

  it('go there and back, with letters composed', () => {
    const name = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
      .filter((text) => !text.includes('/'));
    const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join('/'));
    fc.assert(
      fc.property(fc.oneof(fc.constant(''), path), path, (folder, file) => {
        expect(fromApiPath(folder, toApiPath(folder, file))).toBe(file.normalize('NFC'));
      }),
    );
    expect(toApiPath('', '')).toBe('');
    expect(toApiPath('a', '')).toBe('/a');
  });

  it('are twins where capital letters alone make the difference', () => {
    expect(isTwin('html/A.tar', '/backups/html/a.tar')).toBe(true);
    expect(isTwin('html/a.tar', '/Backups/HTML/a.tar')).toBe(false);
    expect(isTwin('html/cafe\u0301', '/html/caf\u00e9')).toBe(false);
  });
});
