import type { ReadableSecret, Sealing, UserRow } from '../core/user.ts';
import type { Secrets } from './ports.ts';

/** Secrets that one write can take: their places have to fit into one expression of 4 KB. */
const MOST_AT_ONCE = 15;

/** A secret that stands readable in a row. */
export interface Readable extends ReadableSecret {
  readonly destination: string;
}

export function findReadable(
  { find }: Pick<Secrets, 'find'>,
  { written }: Pick<UserRow<unknown>, 'written'>,
): readonly Readable[] {
  return [...written].flatMap(([destination, { type, settings }]) =>
    find(type, settings).map((secret) => ({ ...secret, destination })),
  );
}

/**
 * Seals secrets of a row, the first ones where there are very many. A value that is of no use is
 * sealed as well, with what is wrong with it beside it.
 */
export function sealSome(
  { seal }: Pick<Secrets, 'seal'>,
  userId: string,
  readable: readonly Readable[],
): Promise<readonly Sealing[]> {
  return Promise.all(
    readable.slice(0, MOST_AT_ONCE).map(async ({ destination, setting, text, was, problems }) => {
      const known = problems();
      const sealed = await seal({ userId, destination }, setting, text.reveal());
      const value = { sealed, ...(known.length > 0 ? { problems: known } : {}) };
      return { destination, setting, was, value };
    }),
  );
}
