import { FerryError } from '../core/errors.ts';
import type { Problem } from '../core/problem.ts';
import type { Surroundings } from './surroundings.ts';

/** What `<NAME>_FILE` ends with: the value of NAME stands in a file. */
const SUFFIX = '_FILE';

/** A value that stands in a file. */
export interface FileReference {
  /** The setting that gives the path. */
  readonly givenAs: string;
  /** Below the user's own folder of the staging bucket. */
  readonly path: string;
}

export interface SettingsAndFiles {
  /** Values that stand in the settings themselves. */
  readonly inline: Readonly<Record<string, unknown>>;
  /** By the name of the setting whose value the file holds. */
  readonly files: ReadonlyMap<string, FileReference>;
  readonly problems: readonly Problem[];
}

/**
 * Tells values from the paths of files that hold them. Every setting NAME may be given as NAME_FILE;
 * those in `texts`, which are long texts, may also be given the path in place of the text.
 */
export function separateFiles(
  given: Readonly<Record<string, unknown>>,
  known: readonly string[],
  texts: readonly string[],
): SettingsAndFiles {
  const inline: Record<string, unknown> = {};
  const files = new Map<string, FileReference>();
  const problems: Problem[] = [];
  for (const [givenAs, value] of Object.entries(given)) {
    const name = holderOf(givenAs, known) ?? givenAs;
    const isReference = name !== givenAs || (texts.includes(name) && looksLikePath(value));
    if (!isReference) {
      inline[name] = value;
      continue;
    }
    const path = pathBelowUser(value);
    if (path === undefined) problems.push(unusablePath(givenAs));
    else if (files.has(name)) problems.push(givenTwice(name));
    else files.set(name, { givenAs, path });
  }
  for (const name of files.keys()) if (name in inline) problems.push(givenTwice(name));
  return { inline, files, problems };
}

/**
 * The values that stand in files, by the name of their setting.
 * @throws FerryError `setting-invalid` where a file is not there
 */
export async function readFiles(
  files: ReadonlyMap<string, FileReference>,
  { readFile }: Pick<Surroundings, 'readFile'>,
): Promise<Record<string, string>> {
  const read = async ([name, { givenAs, path }]: [string, FileReference]) => {
    const text = await readFile(path);
    if (text !== undefined) return [name, text] as const;
    throw new FerryError(
      'setting-invalid',
      `${givenAs} names a file that is not there: "${path}" in the user's folder of the staging bucket. ` +
        'Stage it there, or put its text into the setting.',
      { retry: 'never' },
    );
  };
  return Object.fromEntries(await Promise.all([...files].map(read)));
}

/** The setting whose value a `_FILE` setting points to; undefined for a setting with a value of its own. */
function holderOf(name: string, known: readonly string[]): string | undefined {
  if (known.includes(name) || !name.endsWith(SUFFIX)) return undefined;
  const holder = name.slice(0, -SUFFIX.length);
  return known.includes(holder) ? holder : undefined;
}

/** Plain names with a slash or a dot; keys and certificates have other characters or many lines. */
function looksLikePath(value: unknown): boolean {
  if (typeof value !== 'string') return false;
  const text = value.trim();
  return /[/.]|^id_/.test(text) && /^(\.{0,2}\/)?[\w.@ -]+(\/+[\w.@ -]+)*$/.test(text);
}

/** Absolute paths count from the user's folder, as they did from the user's own disk. */
function pathBelowUser(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const names = value
    .trim()
    .split('/')
    .filter((name) => name !== '' && name !== '.');
  const isUsable = names.length > 0 && !names.includes('..') && !value.includes('\n');
  return isUsable ? names.join('/') : undefined;
}

function unusablePath(path: string): Problem {
  return {
    path,
    problem: "This is not the path of a file in the user's folder of the staging bucket.",
    remedy: 'Give a path without "..", such as .ferry/key.pem, and stage the file there.',
  };
}

function givenTwice(name: string): Problem {
  return {
    path: name,
    problem: `The value is given here and by a file (${name}${SUFFIX}).`,
    remedy: 'Keep one of the two.',
  };
}
