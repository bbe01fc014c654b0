import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';

/** One import, export-from or dynamic import of a source file. */
export interface Import {
  /** Path of the importing file from the repository's root. */
  readonly from: string;
  /** Path from the root where the target is ours, else the package as it is written. */
  readonly to: string;
  readonly typeOnly: boolean;
}

const ROOT = new URL('../../', import.meta.url);
const STATIC = /^\s*(?:import|export)\s+(type\s)?(?:[^'";]*?\sfrom\s+)?'([^']+)'/gm;
const DYNAMIC = /\bimport\(\s*([^)]*?)\s*\)/g;

/** Every TypeScript file below the folders, as paths from the repository's root. */
export function sourceFiles(...folders: readonly string[]): readonly string[] {
  return folders.flatMap((folder) =>
    readdirSync(new URL(folder, ROOT), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => posix.join(folder, name)),
  );
}

export function readSource(path: string): string {
  return readFileSync(new URL(path, ROOT), 'utf8');
}

/** What a file imports. A dynamic import of anything but a plain text is told as it is written. */
export function importsOf(from: string, source: string): readonly Import[] {
  const resolve = (target: string) =>
    target.startsWith('.') ? posix.join(posix.dirname(from), target) : target;
  const withoutComments = source.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  const fixed = [...withoutComments.matchAll(STATIC)].map(([, type, target = '']) => ({
    from,
    to: resolve(target),
    typeOnly: type !== undefined,
  }));
  const dynamic = [...withoutComments.matchAll(DYNAMIC)].map(([, target = '']) => ({
    from,
    to: resolve(target.replace(/^'(.*)'$/, '$1')),
    typeOnly: false,
  }));
  return [...fixed, ...dynamic];
}
