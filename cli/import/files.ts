import { readFile, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';

/** More than any key or chain of certificates has; in bytes. */
const LARGEST = 64 * 1024;

/** Reads a file that a setting names; undefined where there is none that may be read. */
export type ReadNamed = (path: string) => Promise<string | undefined>;

/**
 * Reads files below a folder only, wherever a path says it points to: users write these files, and
 * `SSH_PASSWORD_FILE=/etc/shadow` must not send this machine's own file to a server of theirs.
 */
export function readFilesBelow(folder: string): ReadNamed {
  return async (path) => {
    try {
      const root = await realpath(folder);
      // `join` takes an absolute path as one below the folder; links are followed before it is judged.
      const file = await realpath(join(root, path));
      if (!file.startsWith(root.endsWith(sep) ? root : root + sep)) return undefined;
      const { size, ...kind } = await stat(file).then((found) => ({
        size: found.size,
        isFile: found.isFile(),
      }));
      return kind.isFile && size <= LARGEST ? await readFile(file, 'utf8') : undefined;
    } catch {
      return undefined;
    }
  };
}
