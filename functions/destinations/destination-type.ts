import { closest } from 'fastest-levenshtein';
import type { z } from 'zod';
import { FerryError } from '../core/errors.ts';
import { describeProblems, type Parsed, type Problem } from '../core/problem.ts';
import type { Destination } from './contract.ts';
import { splitIssue } from './setting.ts';
import { readFiles, separateFiles } from './setting-files.ts';
import type { Surroundings } from './surroundings.ts';

/** A destination whose settings were accepted. */
export interface ConfiguredDestination {
  readonly type: string;
  /**
   * Reads what stands in files and loads the driver.
   * @throws FerryError `setting-invalid` where a file is missing or holds what cannot be used
   */
  open(surroundings: Surroundings): Promise<Destination>;
}

/** One entry of the registry: a name, the settings it knows and how to open it. */
export interface DestinationType {
  readonly type: string;
  /** Names of all settings that this type knows. */
  readonly settings: readonly string[];
  /** Those that hold a long text, for which the path of a file that holds it may stand. */
  readonly texts: readonly string[];
  /** Strict: an unknown name is a problem, with the nearest known one as the remedy. */
  parse(settings: Readonly<Record<string, unknown>>): Parsed<ConfiguredDestination>;
}

interface Definition<Schema extends z.ZodObject, Value> {
  readonly type: string;
  /** Every setting under the name that users know. */
  readonly schema: Schema;
  /** What one setting says about another, and the shape that the driver wants. */
  readonly refine: (settings: z.output<Schema>) => Parsed<Value>;
  /** Settings that hold a long text, for which the path of a file that holds it may stand. */
  readonly texts?: readonly (keyof Schema['shape'] & string)[];
  /** Imports the driver when it is first used, so that a function loads only the ones it needs. */
  readonly open: (settings: Value, surroundings: Surroundings) => Promise<Destination>;
}

/** Makes a registry entry out of a schema and a driver. */
export function defineDestinationType<Schema extends z.ZodObject, Value>(
  definition: Definition<Schema, Value>,
): DestinationType {
  const { type, schema } = definition;
  const known = Object.keys(schema.shape);

  const check = (given: Readonly<Record<string, unknown>>): Parsed<z.output<Schema>> => {
    const parsed = schema.safeParse(given);
    if (parsed.success) return { ok: true, value: parsed.data };
    return { ok: false, problems: parsed.error.issues.map((found) => toProblem(found, given)) };
  };
  const accept = (given: Readonly<Record<string, unknown>>): Parsed<Value> => {
    const checked = check(given);
    return checked.ok ? definition.refine(checked.value) : checked;
  };

  return {
    type,
    settings: known,
    texts: definition.texts ?? [],
    parse(settings) {
      const given = Object.entries(settings).filter(([, value]) => value !== '' && value !== null);
      const separated = separateFiles(Object.fromEntries(given), known, definition.texts ?? []);
      const { inline, files } = separated;
      const unknown = Object.keys(inline).filter((name) => !known.includes(name));
      const values = omit(inline, unknown);
      // What settings say about each other shows when all of them can be read.
      const accepted = files.size === 0 ? accept(values) : check(values);
      const unmet = accepted.ok ? [] : accepted.problems.filter(({ path }) => !files.has(path));
      const problems = [
        ...unknown.map((name) => unknownSetting(type, name, known)),
        ...separated.problems,
        ...unmet,
      ];
      if (problems.length > 0) return { ok: false, problems };
      const open = async (surroundings: Surroundings) => {
        const complete = accept({ ...inline, ...(await readFiles(files, surroundings)) });
        if (complete.ok) return definition.open(complete.value, surroundings);
        throw new FerryError('setting-invalid', describeProblems(complete.problems), {
          retry: 'never',
        });
      };
      return { ok: true, value: { type, open } };
    },
  };
}

function omit(given: Readonly<Record<string, unknown>>, names: readonly string[]) {
  return Object.fromEntries(Object.entries(given).filter(([name]) => !names.includes(name)));
}

function unknownSetting(type: string, name: string, known: readonly string[]): Problem {
  return {
    path: name,
    problem: `A destination of type ${type} has no setting of this name.`,
    remedy: `Did you mean ${closest(name, [...known])}?`,
  };
}

function toProblem(found: z.core.$ZodIssue, given: Readonly<Record<string, unknown>>): Problem {
  const path = found.path.join('.');
  if (!(path in given)) {
    return { path, problem: 'This setting is missing.', remedy: `Give ${path}.` };
  }
  return { path, ...splitIssue(found.message) };
}
