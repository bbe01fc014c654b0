import { posix } from 'node:path';
import { FerryError } from '../../core/errors.ts';
import { LONGEST_NAME, shorten } from '../file-names.ts';

const TEMPORARY_NAME = /^\..*\.[0-9a-f]{16}\.part$/s;

/** The destination's own folder as an absolute path: `remotePath` seen from the login directory. */
export function basePath(home: string, remotePath: string): string {
  return posix.resolve('/', home, remotePath);
}

/**
 * Where a file of the destination is on the server. No name can lead out of the destination's folder.
 * @throws FerryError `name-refused` for a name that no folder can hold
 */
export function fullPath(base: string, path: string): string {
  const names = path === '' ? [] : path.split('/');
  const unusable = names.find(
    (name) =>
      name === '' ||
      name === '.' ||
      name === '..' ||
      name.includes('\0') ||
      Buffer.byteLength(name) > LONGEST_NAME,
  );
  if (unusable === undefined) return posix.join(base, ...names);
  throw new FerryError(
    'name-refused',
    `The name "${path}" cannot be used on an SSH server: between slashes there must be 1 to ` +
      `${LONGEST_NAME} bytes, other than "." and "..". Stage the archive under another name.`,
    { retry: 'never', scope: 'archive' },
  );
}

/** The name under which a file grows beside its final place; shortened where it would be too long. */
export function temporaryPath(finalPath: string, transferId: string): string {
  const ending = `.${transferId}.part`;
  const room = LONGEST_NAME - Buffer.byteLength(`.${ending}`);
  const name = shorten(posix.basename(finalPath), room);
  return posix.join(posix.dirname(finalPath), `.${name}${ending}`);
}

/** Whether a file name is one that `temporaryPath` makes. */
export function isTemporary(name: string): boolean {
  return TEMPORARY_NAME.test(name);
}
