import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { Problem } from '../core/problem.ts';
import { readEnvelope } from '../core/sealed.ts';
import { SealedSecret } from '../core/secret.ts';
import type { KeptProblem, SealedValue } from '../core/user.ts';
import type { Surroundings } from './surroundings.ts';

const keptProblem = z.strictObject({
  setting: z.string(),
  value: z.string().optional(),
  problem: z.string(),
  remedy: z.string(),
});

/** What stands in a row in place of a secret. */
const sealedValue = z.strictObject({
  sealed: z.string().refine((text) => readEnvelope(text) !== undefined),
  problems: z.array(keptProblem).optional(),
});

export interface SettingsAndSecrets {
  /** As given, with a secret that cannot be read in place of each sealed value. */
  readonly values: Readonly<Record<string, unknown>>;
  /** By the name of the setting. */
  readonly sealed: ReadonlyMap<string, SealedValue>;
  readonly problems: readonly Problem[];
}

/** Whether a value is a sealed secret, and whole. */
export function isSealed(value: unknown): boolean {
  return sealedValue.safeParse(value).success;
}

/** Tells sealed secrets from other values. */
export function separateSealed(
  given: Readonly<Record<string, unknown>>,
  secrets: readonly string[],
): SettingsAndSecrets {
  const values: Record<string, unknown> = {};
  const sealed = new Map<string, SealedValue>();
  const problems: Problem[] = [];
  for (const [name, value] of Object.entries(given)) {
    const found = sealedValue.safeParse(value).data;
    if (!looksSealed(value)) values[name] = value;
    else if (!secrets.includes(name)) problems.push(noSecret(name));
    else if (found === undefined) problems.push(unreadable(name));
    else {
      values[name] = new SealedSecret();
      sealed.set(name, found);
    }
  }
  for (const [name, { problems: kept = [] }] of sealed) {
    problems.push(...kept.flatMap((each) => stillTrue(each, name, given)));
  }
  return { values, sealed, problems };
}

/** The texts of sealed secrets, by the name of their setting. */
export async function unsealAll(
  sealed: ReadonlyMap<string, SealedValue>,
  { unseal }: Pick<Surroundings, 'unseal'>,
): Promise<Record<string, string>> {
  const opened = [...sealed].map(
    async ([name, value]) => [name, (await unseal(name, value.sealed)).reveal()] as const,
  );
  return Object.fromEntries(await Promise.all(opened));
}

/**
 * How a problem is kept beside a secret that can be read no longer. It stands until the secret or the
 * setting that it is told at is another.
 */
export function keepProblem(
  { path: setting, problem, remedy }: Problem,
  secret: string,
  given: Readonly<Record<string, unknown>>,
): KeptProblem {
  const value = setting === secret ? undefined : nameOf(given[setting]);
  return { setting, problem, remedy, ...(value === undefined ? {} : { value }) };
}

function stillTrue(
  { setting, value, problem, remedy }: KeptProblem,
  secret: string,
  given: Readonly<Record<string, unknown>>,
): readonly Problem[] {
  const now = setting === secret ? undefined : nameOf(given[setting]);
  return now === value ? [{ path: setting, problem, remedy }] : [];
}

/** Names the value of a setting; undefined where it is not given. */
function nameOf(value: unknown): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16);
}

function looksSealed(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'sealed' in value;
}

function noSecret(path: string): Problem {
  return {
    path,
    problem: 'This setting is no secret and cannot be sealed.',
    remedy: 'Give its value as text.',
  };
}

function unreadable(path: string): Problem {
  return {
    path,
    problem: 'This is not a sealed value as Ferry writes them.',
    remedy: 'Enter the secret itself again; Ferry seals it.',
  };
}
