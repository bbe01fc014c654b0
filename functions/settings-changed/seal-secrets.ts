import type { ReadableSecret, RowPath, Sealing, UserRow } from '../core/user.ts';
import type { Secrets } from './ports.ts';

/**
 * Steps to the secrets that one write can take, all together: their places have to fit into one
 * expression of 4 KB. Enough for 15 secrets of settings, and for one wherever it stands (DynamoDB has
 * maps in maps 32 deep).
 */
const MOST_STEPS = 75;

/** A secret that stands readable in a row. */
export interface Readable extends ReadableSecret {
  readonly path: RowPath;
  readonly destination: string;
}

/** Outer ones alone where one stands within another, which is sealed with it. */
export function findReadable(
  { find }: Pick<Secrets, 'find'>,
  row: Pick<UserRow<unknown>, 'maps'>,
): readonly Readable[] {
  const taken = new Set<string>();
  return row.maps().flatMap(({ path, destination, type, settings, values }) => {
    if (path.some((_step, at) => taken.has(JSON.stringify(path.slice(0, at + 1))))) return [];
    const found = find(type, { ...settings, ...values })
      .filter(({ name }) => name in values)
      .map((secret) => ({ ...secret, destination, path: [...path, secret.name] }));
    for (const each of found) taken.add(JSON.stringify(each.path));
    return found;
  });
}

/**
 * Seals secrets of a row, the first ones where there are very many. A value that is of no use is
 * sealed as well, with what is wrong with it beside it; one that is part of no destination is sealed for
 * none, and nobody opens it.
 */
export function sealSome(
  { seal }: Pick<Secrets, 'seal'>,
  userId: string,
  readable: readonly Readable[],
): Promise<readonly Sealing[]> {
  return Promise.all(
    firstOf(readable).map(async ({ path, destination, setting, text, was, problems }) => {
      const known = problems();
      const sealed = await seal({ userId, destination }, setting, text.reveal());
      const value = { sealed, ...(known.length > 0 ? { problems: known } : {}) };
      return { path, was, value };
    }),
  );
}

function firstOf(readable: readonly Readable[]): readonly Readable[] {
  let steps = 0;
  return readable.filter(({ path }, at) => {
    steps += path.length;
    return at === 0 || steps <= MOST_STEPS;
  });
}
