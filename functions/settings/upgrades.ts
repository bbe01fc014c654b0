import * as z from 'zod';

/** Makes a spec of one version into one of the next; `v` is counted on by itself. */
export type Upgrade = (
  spec: Readonly<Record<string, unknown>>,
) => Readonly<Record<string, unknown>>;

/** The versions of `spec` that are read: the first of them, and the way from each to the next. */
export interface Versions {
  readonly first: number;
  readonly upgrades: readonly Upgrade[];
}

/**
 * There has been one version so far. Who makes the second puts here how the first becomes it, and its
 * number into the schema: rows stay as people wrote them, and are read as if they had the newest form.
 */
export const VERSIONS: Versions = { first: 1, upgrades: [] };

const versioned = z.looseObject({ spec: z.looseObject({ v: z.int() }) });

/** The same item with its spec in the newest version; one of no known version is left as it is. */
export function upgradeSpec(item: unknown, { first, upgrades }: Versions = VERSIONS): unknown {
  const found = versioned.safeParse(item);
  if (!found.success || found.data.spec.v < first) return item;
  const missing = upgrades.slice(found.data.spec.v - first);
  const spec = missing.reduce<Readonly<Record<string, unknown>>>(
    (given, upgrade, at) => ({ ...upgrade(given), v: found.data.spec.v + at + 1 }),
    found.data.spec,
  );
  return missing.length === 0 ? item : { ...found.data, spec };
}
