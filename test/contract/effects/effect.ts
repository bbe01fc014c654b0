import { FerryError } from '../../../functions/core/errors.ts';
import { NO_LIMITS } from '../../../functions/core/policy.ts';
import type { Proof } from '../../../functions/core/receipt.ts';
import { NEVER } from '../../../functions/core/stopping.ts';
import type { Destination } from '../../../functions/destinations/contract.ts';
import { parseDestination } from '../../../functions/destinations/registry.ts';
import type { Surroundings } from '../../../functions/destinations/surroundings.ts';
import { digestOf, sampleBytes } from '../sample.ts';
import { NO_SURROUNDINGS } from '../surroundings.ts';

export type Settings = Readonly<Record<string, unknown>>;

/** What one setting does: two values, and what is seen on the wire or at the server with each. */
export interface Effect {
  /** Settings that differ from the others of the type's for this one to matter. */
  readonly beside?: Settings;
  readonly values: readonly [unknown, unknown];
  readonly seen: readonly [unknown, unknown];
  readonly observe: (settings: Settings) => Promise<unknown>;
}

/** Servers of one destination type, and the effect of each of its settings on them. */
export interface Effects {
  readonly type: string;
  /** Settings with which a delivery succeeds. */
  readonly base: Settings;
  /** By the name of the setting. */
  readonly effects: Readonly<Record<string, Effect>>;
  stop(): Promise<void>;
}

export const FILE = 'html/site.tar';
export const BYTES = sampleBytes(1000, 'effects');

/**
 * Delivers a small file with these settings and tells how that ended: `delivered`, the code of the
 * error, or `refused` and the settings that were not accepted.
 */
export async function tryDelivery(
  type: string,
  settings: Settings,
  surroundings: Surroundings = NO_SURROUNDINGS,
  size = BYTES.length,
): Promise<string> {
  const given = Object.entries(settings).filter(([, value]) => value !== undefined);
  const parsed = parseDestination(type, Object.fromEntries(given), NO_LIMITS);
  if (!parsed.ok) return `refused ${parsed.problems.map(({ path }) => path).join(' ')}`;
  let destination: Destination | undefined;
  try {
    destination = await parsed.value.open(surroundings);
    await deliverSmall(destination, size);
    return 'delivered';
  } catch (error) {
    if (error instanceof FerryError) return error.code;
    throw error;
  } finally {
    await destination?.close();
  }
}

/** Delivers a file of so many bytes in parts as the destination likes them, and gives the proof. */
export async function deliverSmall(destination: Destination, size = BYTES.length): Promise<Proof> {
  const bytes = size === BYTES.length ? BYTES : sampleBytes(size, 'effects');
  const { min, preferred, multiple } = (await destination.capabilities(NEVER)).part;
  const partSize = Math.max(min, preferred, multiple);
  const plan = { size, partSize, count: Math.ceil(size / partSize) };
  const file = { path: FILE, size, transferId: '0123456789abcdef' };
  const upload = await destination.begin(file, plan, NEVER);
  for (let number = 0; number < plan.count; number++) {
    const offset = number * partSize;
    const part = bytes.subarray(offset, offset + partSize);
    await upload.writePart({ number, offset, length: part.length, bytes: part }, NEVER);
  }
  return upload.finish(digestOf(bytes), NEVER);
}
