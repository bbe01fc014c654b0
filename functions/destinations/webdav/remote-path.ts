import { posix } from 'node:path';
import { FerryError } from '../../core/errors.ts';
import type { RemoteFile } from '../contract.ts';
import { LONGEST_NAME, shorten } from '../file-names.ts';

/** Longest file name that encrypted folders of many NAS keep (eCryptfs), in bytes. */
const LONGEST_TEMPORARY = 143;

const TEMPORARY_NAME = /^\.ferry-(?:(?:probe|check)-)?[0-9a-f]{16}(?:-|$)/;

/**
 * The names of a path below the destination's folder. No name can lead out of it.
 * @throws FerryError `name-refused` for a name that no folder can hold
 */
export function namesOf(path: string): string[] {
  const names = path.split('/').filter((name, at, all) => name !== '' || at < all.length - 1);
  const unusable = names.find(
    (name) =>
      name === '' ||
      name === '.' ||
      name === '..' ||
      name.includes('\0') ||
      !name.isWellFormed() ||
      Buffer.byteLength(name) > LONGEST_NAME,
  );
  if (unusable === undefined) return names;
  throw new FerryError(
    'name-refused',
    `The name "${path.toWellFormed()}" cannot be used on a WebDAV server: between slashes there must ` +
      `be 1 to ${LONGEST_NAME} bytes, other than "." and "..". Stage the archive under another name.`,
    { retry: 'never', scope: 'archive' },
  );
}

/** Names as a path of a URL; whatever a URL gives a meaning to is written as what it is. */
export function encodeNames(names: readonly string[]): string {
  return names.map(encodeURIComponent).join('/');
}

/** The names in a URL's path; what is not encoded properly is taken as it stands. */
export function decodeNames(pathname: string): string[] {
  return pathname
    .split('/')
    .filter((name) => name !== '')
    .map((name) => {
      try {
        return decodeURIComponent(name);
      } catch {
        return name;
      }
    });
}

/**
 * The name under which a file grows beside its final place. It begins alike for all: servers refuse
 * names such as `.ht…` (Apache) or `….part` (Nextcloud). It holds what it can of the final name, so
 * that a server that cannot keep that name says so before anything is sent.
 */
export function temporaryName(name: string, transferId: string): string {
  const start = `.ferry-${transferId}-`;
  const kept = shorten(name, LONGEST_TEMPORARY - start.length);
  // Windows takes spaces and dots off the end of a name.
  return `${start}${kept === name ? name : kept.replace(/[ .]+$/, '')}`;
}

/** Whether a file name is one of ours that stands for no archive. */
export function isTemporary(name: string): boolean {
  return TEMPORARY_NAME.test(name);
}

/** The folder of a file, below the destination's. */
export function folderOf({ path }: Pick<RemoteFile, 'path'>): string {
  const folder = posix.dirname(path);
  return folder === '.' ? '' : folder;
}
