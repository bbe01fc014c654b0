import { remotePath, type StagedArchive } from '../core/archive.ts';
import { FerryError } from '../core/errors.ts';
import type { Capabilities } from '../destinations/contract.ts';

type NameRules = Pick<Capabilities, 'composesNames' | 'foldsCase'>;

/** Finds archives that would be one file where a destination takes different names for one. */
export interface Twins {
  /** Notes an archive of the user; gives the key of another one before it that has the same name at a destination. */
  meet(archive: StagedArchive): (rules: NameRules) => string | undefined;
}

export function openTwins(): Twins {
  const composed = openFirsts();
  const folded = openFirsts();
  const both = openFirsts();
  return {
    meet(archive) {
      const { key } = archive;
      const path = remotePath(archive);
      const letters = path.normalize('NFC');
      const byLetters = composed(letters, key);
      const byCase = folded(fold(path), key);
      const byBoth = both(fold(letters), key);
      return ({ composesNames, foldsCase }) => {
        if (composesNames) return foldsCase ? byBoth : byLetters;
        return foldsCase ? byCase : undefined;
      };
    },
  };
}

/** Gives the key that had a name first, where that is another one. */
function openFirsts() {
  const keys = new Map<string, string>();
  return (name: string, key: string): string | undefined => {
    const first = keys.get(name) ?? key;
    keys.set(name, first);
    return first === key ? undefined : first;
  };
}

/** As file systems fold names: letter by letter, so that ß is no SS. */
function fold(path: string): string {
  return path.replaceAll(/\p{L}/gu, (letter) => {
    const capital = letter.toUpperCase();
    return [...capital].length === 1 ? capital : letter;
  });
}

export function twinRefused(archive: string, first: string): FerryError {
  const isCase = archive.normalize('NFC') !== first.normalize('NFC');
  const difference = isCase
    ? 'whether letters are capital or small'
    : 'how letters are put together (Unicode NFC and NFD)';
  return new FerryError(
    'name-refused',
    `For this destination ${archive} has the same name as ${first}: it does not see ${difference}. ` +
      'Stage one of the two under another name.',
    { retry: 'never', scope: 'archive' },
  );
}
