import type { ReadBack } from '../core/checkpoint.ts';
import type { Clock } from '../core/clock.ts';
import { FerryError, toFerryError } from '../core/errors.ts';
import { MiB } from '../core/parts.ts';
import type { Digest, Proof, Verification } from '../core/receipt.ts';
import type { Hashing } from '../core/running-hash.ts';
import type { Destination } from '../destinations/contract.ts';
import type { Reserve } from './reserve.ts';

/** Bytes of one request: small enough that a slow destination gets through it in time. */
const RANGE = 16 * MiB;
const SAVE_EVERY_MS = 10_000;

export interface ReadBackTools {
  readonly destination: Destination;
  readonly hashing: Hashing;
  readonly reserve: Reserve;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Keeps what is done for another process. */
  save(state: ReadBack): Promise<void>;
  /** Called as bytes come in. */
  onBytes(bytes: number): void;
}

/** Whether the proof that a destination gave is less than the user asked for. */
export function wantsReadBack(verify: Verification, { verified }: Proof): boolean {
  if (verify === 'readback') return verified !== 'readback';
  return verify === 'checksum' && verified === 'size';
}

/**
 * Reads a published file again, whole, and compares its SHA-256. Undefined when it stopped in time; the
 * next process goes on where this one saved.
 * @param path relative to the destination's own path
 * @throws FerryError `corrupted` when it is not what was sent; the file is gone then
 */
export async function readBack(
  tools: ReadBackTools,
  path: string,
  digest: Digest,
  from: ReadBack,
): Promise<Proof | undefined> {
  const { destination, hashing, reserve, clock, signal } = tools;
  // A hash that can be carried on, whatever the size: how fast the destination reads is not known.
  const resumed = from.sha256 === undefined ? undefined : await hashing.resume(from.sha256);
  const hash = resumed ?? (await hashing.start(Number.POSITIVE_INFINITY));
  let bytes = resumed ? from.bytes : 0;
  let savedAt = clock.now();
  const save = async () => {
    savedAt = clock.now();
    await tools.save({ proof: from.proof, bytes, sha256: hash.save() });
  };

  while (bytes < digest.size) {
    if (!reserve.mayStart()) {
      await save();
      return undefined;
    }
    const startedAt = clock.now();
    const to = Math.min(bytes + RANGE, digest.size);
    let came = 0;
    for await (const chunk of whereThere(destination.read(path, signal, { from: bytes, to }))) {
      hash.update(chunk);
      came += chunk.length;
    }
    if (came !== to - bytes) break;
    bytes = to;
    tools.onBytes(came);
    reserve.sawPart(clock.now() - startedAt);
    if (clock.now() - savedAt >= SAVE_EVERY_MS) await save();
  }
  if (hash.finish() === digest.sha256) {
    const how = `${from.proof.how}; every byte was read back and has the SHA-256 that was sent`;
    return { ...from.proof, verified: 'readback', how };
  }
  await removeDamaged(destination, path, digest, signal);
  throw new FerryError(
    'corrupted',
    'The destination gives back other bytes than were sent. The transfer begins anew.',
    { retry: 'now', scope: 'archive' },
  );
}

/** What is not there any more is as good as damaged. */
async function* whereThere(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* bytes;
  } catch (thrown) {
    if (toFerryError(thrown).code !== 'not-found') throw thrown;
  }
}

/** A file of another size is not the one that was published: somebody else has put it there since. */
async function removeDamaged(
  destination: Destination,
  path: string,
  { size }: Digest,
  signal: AbortSignal,
): Promise<void> {
  const there = await destination.stat(path, signal);
  if (there?.size === size) await destination.remove(path, signal);
}
