import { closest } from 'fastest-levenshtein';
import * as z from 'zod';
import { FerryError } from '../core/errors.ts';
import { type Traits, traitProblems } from '../core/policy.ts';
import { describeProblems, type Parsed, type Problem } from '../core/problem.ts';
import { SealedSecret, UnreadableSecret } from '../core/secret.ts';
import type { ReadableSecret } from '../core/user.ts';
import type { Destination } from './contract.ts';
import { describeReadable } from './readable-secrets.ts';
import { isSealed, separateSealed, unsealAll } from './sealed-settings.ts';
import { splitIssue } from './setting.ts';
import { readFiles, separateFiles } from './setting-files.ts';
import type { Surroundings } from './surroundings.ts';

/** A destination whose settings were accepted. */
export interface ConfiguredDestination {
  readonly type: string;
  /** Names of secret settings that stand in the row as text: nothing runs until they are sealed. */
  readonly readable: readonly string[];
  /** What the operator's policy looks at; absent where only a file or what is sealed tells. */
  readonly traits?: Traits | undefined;
  /**
   * Reads what stands in files, opens what is sealed, looks once more whether the operator allows it,
   * and loads the driver.
   * @throws FerryError `setting-invalid` where a file is missing or something cannot be used, `policy`
   * where the operator does not allow what the settings ask for
   */
  open(surroundings: Surroundings): Promise<Destination>;
}

/** One entry of the registry: a name, the settings it knows and how to open it. */
export interface DestinationType {
  readonly type: string;
  /** Names of all settings that this type knows. */
  readonly settings: readonly string[];
  /** Those of them that are secret: kept sealed, never shown. */
  readonly secrets: readonly string[];
  /** Those that hold a long text, for which the path of a file that holds it may stand. */
  readonly texts: readonly string[];
  /** Strict: an unknown name is a problem, with the nearest known one as the remedy. */
  parse(settings: Readonly<Record<string, unknown>>): Parsed<ConfiguredDestination>;
  /** Secrets that stand there as people wrote them. */
  readableSecrets(settings: Readonly<Record<string, unknown>>): readonly ReadableSecret[];
}

interface Definition<Schema extends z.ZodObject, Value> {
  readonly type: string;
  /** Every setting under the name that users know. */
  readonly schema: Schema;
  /**
   * What one setting says about another, and the shape that the driver wants. Reading a secret that is
   * sealed ends it: then nothing more can be said until the destination is opened.
   */
  readonly refine: (settings: z.output<Schema>) => Parsed<Value>;
  /** What the operator's policy looks at, of settings that need not fit each other. */
  readonly traits: (settings: z.output<Schema>) => Traits;
  /** Settings that hold a long text, for which the path of a file that holds it may stand. */
  readonly texts?: readonly (keyof Schema['shape'] & string)[];
  /** Imports the driver when it is first used, so that a function loads only the ones it needs. */
  readonly open: (settings: Value, surroundings: Surroundings) => Promise<Destination>;
}

/** Makes a registry entry out of a schema and a driver. */
export function defineDestinationType<Schema extends z.ZodObject, Value>(
  definition: Definition<Schema, Value>,
): DestinationType {
  const { type, schema, texts = [] } = definition;
  const known = Object.keys(schema.shape);
  const secrets = secretsIn(schema);

  const check = (given: Readonly<Record<string, unknown>>): Parsed<z.output<Schema>> => {
    const parsed = schema.safeParse(given);
    if (parsed.success) return { ok: true, value: parsed.data };
    return { ok: false, problems: parsed.error.issues.map((found) => toProblem(found, given)) };
  };
  const accept = (given: Readonly<Record<string, unknown>>): Parsed<Value> => {
    const checked = check(given);
    return checked.ok ? definition.refine(checked.value) : checked;
  };

  /** Undefined where a value that tells them is wrong or not to be read yet. */
  const traitsOf = (given: Readonly<Record<string, unknown>>): Traits | undefined =>
    unlessUnreadable(() => {
      const checked = check(given);
      return checked.ok ? definition.traits(checked.value) : undefined;
    });

  /** Everything that can be said without reading a file or opening what is sealed. */
  const examine = (settings: Readonly<Record<string, unknown>>) => {
    const given = withoutEmpty(settings);
    const mistaken = Object.keys(given).filter(
      (name) => !known.includes(name) && isSealed(given[name]),
    );
    const rest = omit(given, mistaken);
    const { values, sealed, problems: unusable } = separateSealed(rest, secrets);
    const { inline, files, problems: misplaced } = separateFiles(values, known, texts);
    const unknown = Object.keys(inline).filter((name) => !known.includes(name));
    const told = [
      ...unknown.map((name) => unknownSetting(type, name, known, IS_READABLE)),
      ...mistaken.map((name) => unknownSetting(type, name, known, IS_SEALED)),
      ...unusable,
      ...misplaced,
    ];
    const sorted = omit(inline, unknown);
    // What settings say about each other shows when all of them are there.
    const isWhole = files.size === 0 && unusable.length === 0;
    const found = problemsOf(() => (isWhole ? accept(sorted) : check(sorted)));
    const toldAt = new Set([...files.keys(), ...unusable.map(({ path }) => path)]);
    const unmet = found.filter(({ path }) => !toldAt.has(path));
    return { inline, sealed, files, problems: [...told, ...unmet], traits: traitsOf(sorted) };
  };

  const readableIn = (settings: Readonly<Record<string, unknown>>) => {
    const { inline } = separateFiles(withoutEmpty(settings), known, texts);
    return secrets.filter((name) => name in inline && !isSealed(inline[name]));
  };

  return {
    type,
    settings: known,
    secrets,
    texts,
    parse(settings) {
      const { inline, sealed, files, problems, traits } = examine(settings);
      if (problems.length > 0) return { ok: false, problems };
      const open = async (surroundings: Surroundings) => {
        const [read, opened] = await Promise.all([
          readFiles(files, surroundings),
          unsealAll(sealed, surroundings),
        ]);
        const complete = { ...inline, ...read, ...opened };
        const accepted = accept(complete);
        if (!accepted.ok) throw refusal('setting-invalid', accepted.problems);
        const asked = traitsOf(complete);
        const forbidden = asked ? traitProblems(surroundings.policy, asked) : [];
        if (forbidden.length > 0) throw refusal('policy', forbidden);
        return definition.open(accepted.value, surroundings);
      };
      return { ok: true, value: { type, readable: readableIn(settings), traits, open } };
    },
    readableSecrets: (settings) =>
      describeReadable(settings, readableIn(settings), (given) => examine(given).problems),
  };
}

function refusal(code: 'setting-invalid' | 'policy', problems: readonly Problem[]): FerryError {
  return new FerryError(code, describeProblems(problems), { retry: 'never' });
}

/** The settings that take a `Secret`, as no other block does. */
function secretsIn(schema: z.ZodObject): readonly string[] {
  const probe = new SealedSecret();
  return Object.entries(schema.shape)
    .filter(([, setting]) => z.safeParse(setting, probe).success)
    .map(([name]) => name);
}

function problemsOf(look: () => Parsed<unknown>): readonly Problem[] {
  const parsed = unlessUnreadable(look);
  return parsed === undefined || parsed.ok ? [] : parsed.problems;
}

/** What can be said without a secret that is sealed. */
function unlessUnreadable<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (error instanceof UnreadableSecret) return undefined;
    throw error;
  }
}

function withoutEmpty(settings: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const given = Object.entries(settings).filter(([, value]) => value !== '' && value !== null);
  return Object.fromEntries(given);
}

function omit(given: Readonly<Record<string, unknown>>, names: readonly string[]) {
  return Object.fromEntries(Object.entries(given).filter(([name]) => !names.includes(name)));
}

const IS_READABLE = 'A secret in it stays readable until it is removed.';
const IS_SEALED = 'The secret in it is sealed: put it there as it is, or enter it again.';

function unknownSetting(
  type: string,
  name: string,
  known: readonly string[],
  more: string,
): Problem {
  return {
    path: name,
    problem: `A destination of type ${type} has no setting of this name.`,
    remedy: `Did you mean ${closest(name.trim().toUpperCase(), [...known])}? ${more}`,
  };
}

function toProblem(found: z.core.$ZodIssue, given: Readonly<Record<string, unknown>>): Problem {
  const path = found.path.join('.');
  if (!(path in given)) {
    return { path, problem: 'This setting is missing.', remedy: `Give ${path}.` };
  }
  return { path, ...splitIssue(found.message) };
}
