import { type Policy, traitProblems, typeProblems } from '../core/policy.ts';
import type { Parsed } from '../core/problem.ts';
import { guess } from '../core/shape-problems.ts';
import type { ReadableSecret } from '../core/user.ts';
import { azure } from './azure/type.ts';
import type { ConfiguredDestination, DestinationType } from './destination-type.ts';
import { dropbox } from './dropbox/type.ts';
import { s3 } from './s3/type.ts';
import { ssh } from './ssh/type.ts';
import { TYPE_NAMES, type TypeName } from './type-names.ts';
import { webdav } from './webdav/type.ts';

const types: Readonly<Record<TypeName, DestinationType>> = { azure, dropbox, s3, ssh, webdav };

/** Every destination type that Ferry knows. A new type is a folder, its name and a place here. */
export const destinationTypes: readonly DestinationType[] = TYPE_NAMES.map((name) => types[name]);

/**
 * Checks the settings of one destination, and whether the operator allows them; problems are told by
 * setting name, or at `type`.
 */
export function parseDestination(
  type: string,
  settings: Readonly<Record<string, unknown>>,
  policy: Policy,
): Parsed<ConfiguredDestination> {
  const found = destinationTypes.find((candidate) => candidate.type === type);
  if (found) return admit(found.parse(settings), type, policy);
  return {
    ok: false,
    problems: [
      {
        path: 'type',
        problem: `There is no destination type "${type}".`,
        remedy: `${guess(type, TYPE_NAMES)}Known types: ${TYPE_NAMES.join(', ')}.`,
      },
    ],
  };
}

/** Adds what the operator forbids to what is wrong anyway. */
function admit(
  parsed: Parsed<ConfiguredDestination>,
  type: string,
  policy: Policy,
): Parsed<ConfiguredDestination> {
  const traits = parsed.ok ? parsed.value.traits : undefined;
  const problems = [
    ...typeProblems(policy, type),
    ...(parsed.ok ? [] : parsed.problems),
    ...(traits ? traitProblems(policy, traits) : []),
  ];
  return problems.length > 0 ? { ok: false, problems } : parsed;
}

/**
 * Secrets that stand readable in one map, be it the settings of a destination or not. Which type it is
 * does not matter: a name that is a secret of any type holds one, also where the type is misspelt, and
 * in whatever letters and spaces it is written.
 */
export function findReadableSecrets(
  type: string,
  settings: Readonly<Record<string, unknown>>,
): readonly ReadableSecret[] {
  const inOtherLetters = Object.entries(settings).flatMap(([name, value]) => {
    const setting = SECRETS.get(bare(name));
    if (setting === undefined || setting === name) return [];
    return findByName(type, { ...settings, [setting]: value })
      .filter((secret) => secret.setting === setting)
      .map((secret) => ({ ...secret, name }));
  });
  return [...findByName(type, settings), ...inOtherLetters];
}

/** The secret settings of all types, by what is compared of their names. */
const SECRETS: ReadonlyMap<string, string> = new Map(
  destinationTypes.flatMap(({ secrets }) => secrets.map((name) => [bare(name), name] as const)),
);

/** A name as far as it tells a secret: letter case and outer spaces do not. */
export function bare(name: string): string {
  return name.trim().toLowerCase();
}

function findByName(
  type: string,
  settings: Readonly<Record<string, unknown>>,
): readonly ReadableSecret[] {
  return destinationTypes.flatMap((each) =>
    each
      .readableSecrets(settings)
      .map((secret) => (each.type === type ? secret : { ...secret, problems: () => [] })),
  );
}
