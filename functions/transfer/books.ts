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
 * costs time but sends nothing twice, and happens once: what is begun here can be saved.
 * @throws FerryError `corrupted` where what that process sent is not what is read now
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
  // Whoever was interrupted once may be so again: from here on it is a hash that can be saved.
  const hash = resumed ?? (await hashing.start(Number.POSITIVE_INFINITY));
  const from = resumed ? saved : EMPTY_PREFIX;
  let read = from.crc32;
  let prefix = from;
  // Also parts that were sent and got lost: what was saved tells of all of them together.
  for (let number = from.parts; number < Math.max(held, saved.parts); number++) {
    const range = partRange(plan, number);
    const bytes = await source.read(archive, range, buffer, signal);
    read = combineCrc32(read, crc32Of(bytes), range.length);
    const parts = number + 1;
    if (parts === saved.parts && read !== saved.crc32) throw readOtherwise();
    if (parts > held) continue;
    hash.update(bytes);
    prefix = { parts, crc32: read, sha256: hash.save() };
  }
  return openLedger(plan, hash, prefix);
}

/** What is at the destination was read from staging otherwise than it reads now. */
function readOtherwise(): FerryError {
  return new FerryError(
    'corrupted',
    'What was sent so far is not what staging holds. The transfer begins anew.',
    { retry: 'now', scope: 'archive' },
  );
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
