import { remotePath, type StagedArchive } from '../core/archive.ts';
import { FerryError } from '../core/errors.ts';

/** Finds archives that would be one file where a destination composes the letters of names. */
export interface Twins {
  /** Notes an archive of the user; gives the key of another one before it that has the same name. */
  meet(archive: StagedArchive): string | undefined;
}

export function openTwins(): Twins {
  const keys = new Map<string, string>();
  return {
    meet(archive) {
      const path = remotePath(archive).normalize('NFC');
      const first = keys.get(path) ?? archive.key;
      keys.set(path, first);
      return first === archive.key ? undefined : first;
    },
  };
}

export function twinRefused(first: string): FerryError {
  return new FerryError(
    'name-refused',
    `For this destination the archive has the same name as ${first}: only how its letters are put together ` +
      'differs (Unicode NFC and NFD). Stage one of the two under another name.',
    { retry: 'never', scope: 'archive' },
  );
}
