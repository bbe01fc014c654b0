import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { parseDocument, stringify } from 'yaml';
import { z } from 'zod';
import { Failure, misuse } from './failure.ts';

const whole = z.strictObject({ userId: z.string(), spec: z.unknown() });

/** The text of a file, or of standard input for `-`. */
export async function readInput(file: string): Promise<string> {
  if (file === '-') return text(process.stdin);
  try {
    return await readFile(file, 'utf8');
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown) {
      if (thrown.code === 'ENOENT') throw misuse(`There is no file ${file}.`);
      if (thrown.code === 'EISDIR') throw misuse(`${file} is a folder. Name a file in it.`);
      throw misuse(`${file} cannot be read: ${thrown.message}.`);
    }
    throw thrown;
  }
}

/**
 * The settings that a file holds, in YAML or JSON: alone, or as `{userId, spec}`.
 * @throws Failure where it is neither, or another user's
 */
export async function readSpec(file: string, userId: string): Promise<unknown> {
  const value = await readFileYaml(file, 'settings');
  const row = whole.safeParse(value);
  if (!row.success) return value;
  if (row.data.userId === userId) return row.data.spec;
  throw misuse(`${nameOf(file)} holds settings of "${row.data.userId}", not of "${userId}".`);
}

/**
 * @param what is in the file, for who has to be told that it is not
 * @throws Failure with line and column of what cannot be read
 */
export async function readFileYaml(file: string, what: string): Promise<unknown> {
  return readYaml(await readInput(file), nameOf(file), what);
}

/**
 * JSON is YAML, too.
 * @param source the name of what holds the text, to begin a sentence with
 * @throws Failure with line and column of what cannot be read
 */
export function readYaml(document: string, source: string, what: string): unknown {
  const parsed = parseDocument(document, { prettyErrors: true });
  const [wrong] = parsed.errors;
  // Of the message no more than the first line: what follows shows the text, which may be a secret.
  if (wrong)
    throw new Failure(`${source} is no YAML: ${wrong.message.split('\n')[0]?.replace(/:$/, '.')}`);
  const value: unknown = parsed.toJS({ maxAliasCount: 100 });
  if (value === null || value === undefined) throw new Failure(`${source} holds no ${what}.`);
  return value;
}

function nameOf(file: string): string {
  return file === '-' ? 'Standard input' : file;
}

/** Names that come before all others, in this order; the table keeps none. */
const FIRST = [
  ...['userId', 'spec', 'v', 'enabled', 'schedule', 'cron', 'timeZone', 'backUp'],
  ...['destinations', 'type', 'verify', 'settings'],
];

export function writeYaml(value: unknown): string {
  const rank = (name: unknown) => {
    const at = FIRST.indexOf(String(name));
    return at < 0 ? FIRST.length : at;
  };
  return stringify(value, {
    lineWidth: 0,
    sortMapEntries: (a, b) =>
      rank(a.key) - rank(b.key) || String(a.key).localeCompare(String(b.key)),
  });
}
