import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';

/** One value on disk, which a process that is killed at any moment leaves whole. */
export interface Shelf {
  /** Undefined where nothing was ever written. */
  read(): unknown;
  write(value: object): void;
}

export function openShelf(path: string): Shelf {
  return {
    read: () => (existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined),
    write(value) {
      writeFileSync(`${path}.new`, JSON.stringify(value));
      renameSync(`${path}.new`, path);
    },
  };
}
