import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { z } from 'zod';
import { keyOf, storedPath } from './names.ts';
import type { Shelf } from './shelf.ts';

export interface StoredFile {
  readonly kind: 'file';
  /** As it is shown, with a slash in front. */
  readonly path: string;
  readonly id: string;
  readonly rev: string;
  /** Bytes. */
  readonly size: number;
  readonly contentHash: string;
  readonly modifiedAt: Date;
  /** Where its content is on disk. */
  readonly blob: string;
}

export interface StoredFolder {
  readonly kind: 'folder';
  readonly path: string;
  readonly id: string;
}

export type Entry = StoredFile | StoredFolder;

export type Content = Pick<StoredFile, 'blob' | 'size' | 'contentHash'>;

/** What is in the way of a file. */
export type Conflict = 'file' | 'folder' | 'file_ancestor';

/** Files and folders of one account. */
export interface Tree {
  /** Bytes of all files. */
  readonly used: number;
  find(path: string): Entry | undefined;
  /** What is in the way of a file that is to be put at `path`, but for a file there. */
  obstacle(path: string): Exclude<Conflict, 'file'> | undefined;
  /** Puts a file in place of whatever file is there, with the folders that it needs. */
  put(path: string, content: Content): StoredFile;
  makeFolder(path: string): StoredFolder;
  /** Removes a file, or a folder with all that is in it. */
  remove(path: string): void;
  /** Everything below a folder, by key; '' is the root. */
  below(path: string): readonly (readonly [key: string, entry: Entry])[];
}

const kept = z.object({
  revision: z.number(),
  entries: z.array(
    z.tuple([
      z.string(),
      z.discriminatedUnion('kind', [
        z.object({
          kind: z.literal('file'),
          path: z.string(),
          id: z.string(),
          rev: z.string(),
          size: z.number(),
          contentHash: z.string(),
          modifiedAt: z.coerce.date(),
          blob: z.string(),
        }),
        z.object({ kind: z.literal('folder'), path: z.string(), id: z.string() }),
      ]),
    ]),
  ),
});

const newId = () => `id:${randomBytes(12).toString('base64url')}`;

/** @param shelf keeps it for another process, if given */
export function createTree(shelf?: Shelf): Tree {
  const earlier = kept.safeParse(shelf?.read()).data;
  const entries = new Map<string, Entry>(earlier?.entries);
  let revision = earlier?.revision ?? 0x1000000;
  const keep = () => shelf?.write({ revision, entries: [...entries] });

  const ancestors = (path: string) => {
    const names = path.split('/').slice(1, -1);
    return names.map((_, at) => `/${names.slice(0, at + 1).join('/')}`);
  };
  const dropContent = (entry: Entry | undefined) => {
    if (entry?.kind === 'file') rmSync(entry.blob, { force: true });
  };

  const tree: Tree = {
    get used() {
      let bytes = 0;
      for (const entry of entries.values()) if (entry.kind === 'file') bytes += entry.size;
      return bytes;
    },
    find: (path) => entries.get(keyOf(path)),
    obstacle(path) {
      const stored = storedPath(path);
      const isFile = (folder: string) => entries.get(keyOf(folder))?.kind === 'file';
      if (ancestors(stored).some(isFile)) return 'file_ancestor';
      return entries.get(keyOf(stored))?.kind === 'folder' ? 'folder' : undefined;
    },
    put(path, content) {
      const stored = storedPath(path);
      for (const folder of ancestors(stored)) if (!tree.find(folder)) tree.makeFolder(folder);
      const key = keyOf(stored);
      const older = entries.get(key);
      revision += 1;
      const file: StoredFile = {
        kind: 'file',
        path: stored,
        id: older?.id ?? newId(),
        rev: revision.toString(16).padStart(15, '0'),
        modifiedAt: new Date(),
        ...content,
      };
      entries.set(key, file);
      keep();
      dropContent(older);
      return file;
    },
    makeFolder(path) {
      const stored = storedPath(path);
      for (const folder of ancestors(stored)) if (!tree.find(folder)) tree.makeFolder(folder);
      const folder: StoredFolder = { kind: 'folder', path: stored, id: newId() };
      entries.set(keyOf(stored), folder);
      keep();
      return folder;
    },
    remove(path) {
      const gone = [...tree.below(path).map(([key]) => key), keyOf(path)];
      const dropped = gone.map((key) => entries.get(key));
      for (const key of gone) entries.delete(key);
      keep();
      for (const entry of dropped) dropContent(entry);
    },
    below(path) {
      const prefix = `${keyOf(path)}/`;
      return [...entries]
        .filter(([key]) => key.startsWith(prefix))
        .sort(([a], [b]) => (a < b ? -1 : 1));
    },
  };
  return tree;
}
