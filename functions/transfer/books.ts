import type { Archive } from '../core/archive.ts';
import { combineCrc32, crc32Of } from '../core/crc32.ts';
import { FerryError } from '../core/errors.ts';
import { EMPTY_PREFIX, type Ledger, openLedger, type Prefix } from '../core/ledger.ts';
import { type PartPlan, partRange } from '../core/parts.ts';
import type { Digest } from '../core/receipt.ts';
import type { Hashing } from '../core/running-hash.ts';
import type { Source } from './ports.ts';

/**
 * Opens the ledger of an archive of which the destination holds the first `held` parts. What an
 * earlier process saved is used where it fits (not with another hash build, a hash that could not be
 * saved, or parts that the destination lost); the other held parts are read from staging again, which
 * costs time but sends nothing twice.
 */
export async function openBooks(
  archive: Archive,
  plan: PartPlan,
  held: number,
  saved: Prefix,
  source: Source,
  hashing: Hashing,
  buffer: Buffer,
  signal: AbortSignal,
): Promise<Ledger> {
  if (held === 0) return openLedger(plan, await hashing.start(plan.size), EMPTY_PREFIX);
  const fits = saved.parts <= held && saved.sha256 !== undefined;
  const resumed = fits ? await hashing.resume(saved.sha256) : undefined;
  const hash = resumed ?? (await hashing.start(plan.size));
  const from = resumed ? saved : EMPTY_PREFIX;
  let { crc32 } = from;
  for (let number = from.parts; number < held; number++) {
    const range = partRange(plan, number);
    const bytes = await source.read(archive, range, buffer, signal);
    hash.update(bytes);
    crc32 = combineCrc32(crc32, crc32Of(bytes), range.length);
  }
  return openLedger(plan, hash, { parts: held, crc32, sha256: hash.save() });
}

/** What was read must be what the staging bucket says it stored. */
export function assertAsStaged(archive: Archive, digest: Digest): void {
  if (!archive.checksum || archive.checksum.value === digest.crc32) return;
  throw new FerryError(
    'corrupted',
    'What was read from staging does not match the checksum stored with the archive. ' +
      'If this stays, the staged archive is damaged: stage it again.',
    { retry: 'now', scope: 'archive' },
  );
}
