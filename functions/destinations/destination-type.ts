import { closest } from 'fastest-levenshtein';
import type { z } from 'zod';
import type { Parsed, Problem } from '../core/problem.ts';
import type { Destination } from './contract.ts';
import { splitIssue } from './setting.ts';

/** A destination whose settings were accepted; `open` loads its driver. */
export interface ConfiguredDestination {
  readonly type: string;
  open(): Promise<Destination>;
}

/** One entry of the registry: a name, the settings it knows and how to open it. */
export interface DestinationType {
  readonly type: string;
  /** Names of all settings that this type knows. */
  readonly settings: readonly string[];
  /** Strict: an unknown name is a problem, with the nearest known one as the remedy. */
  parse(settings: Readonly<Record<string, unknown>>): Parsed<ConfiguredDestination>;
}

interface Definition<Schema extends z.ZodObject, Value> {
  readonly type: string;
  /** Every setting under the name that users know. */
  readonly schema: Schema;
  /** What one setting says about another, and the shape that the driver wants. */
  readonly refine: (settings: z.output<Schema>) => Parsed<Value>;
  /** Imports the driver when it is first used, so that a function loads only the ones it needs. */
  readonly open: (settings: Value) => Promise<Destination>;
}

/** Makes a registry entry out of a schema and a driver. */
export function defineDestinationType<Schema extends z.ZodObject, Value>(
  definition: Definition<Schema, Value>,
): DestinationType {
  const known = Object.keys(definition.schema.shape);
  return {
    type: definition.type,
    settings: known,
    parse(settings) {
      const given = Object.entries(settings).filter(([, value]) => value !== '' && value !== null);
      const names = given.map(([name]) => name);
      const unknown = names.filter((name) => !known.includes(name));
      const parsed = definition.schema.safeParse(
        Object.fromEntries(given.filter(([name]) => known.includes(name))),
      );
      const problems = [
        ...unknown.map((name) => unknownSetting(definition.type, name, known)),
        ...(parsed.success ? [] : parsed.error.issues.map((found) => toProblem(found, names))),
      ];
      if (!parsed.success || problems.length > 0) return { ok: false, problems };
      const refined = definition.refine(parsed.data);
      if (!refined.ok) return refined;
      return {
        ok: true,
        value: { type: definition.type, open: () => definition.open(refined.value) },
      };
    },
  };
}

function unknownSetting(type: string, name: string, known: readonly string[]): Problem {
  return {
    path: name,
    problem: `A destination of type ${type} has no setting of this name.`,
    remedy: `Did you mean ${closest(name, [...known])}?`,
  };
}

function toProblem(found: z.core.$ZodIssue, given: readonly string[]): Problem {
  const path = found.path.join('.');
  if (!given.includes(path)) {
    return { path, problem: 'This setting is missing.', remedy: `Give ${path}.` };
  }
  return { path, ...splitIssue(found.message) };
}
