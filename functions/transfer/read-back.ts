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
  const there = await destination.stat(path, signal);
  // Somebody else has been there since it was published; what is theirs stays.
  if (there?.size !== digest.size) throw damaged();
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
    for await (const chunk of whileThere(destination.read(path, signal, { from: bytes, to }))) {
      hash.update(chunk);
      came += chunk.length;
    }
    // Less than there is says nothing of the file: the connection has ended early.
    if (came !== to - bytes) throw broken();
    bytes = to;
    tools.onBytes(came);
    reserve.sawPart(clock.now() - startedAt);
    if (clock.now() - savedAt >= SAVE_EVERY_MS) await save();
  }
  if (hash.finish() === digest.sha256) {
    const how = `${from.proof.how}; every byte was read back and has the SHA-256 that was sent`;
    return { ...from.proof, verified: 'readback', how };
  }
  await destination.remove(path, signal);
  throw damaged();
}

/** A file that was there a moment ago: whether it is gone shows when it is looked for again. */
async function* whileThere(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* bytes;
  } catch (thrown) {
    throw toFerryError(thrown).code === 'not-found' ? broken() : thrown;
  }
}

function damaged(): FerryError {
  return new FerryError(
    'corrupted',
    'The destination gives back other bytes than were sent. The transfer begins anew.',
    { retry: 'now', scope: 'archive' },
  );
}

function broken(): FerryError {
  return new FerryError(
    'unreachable',
    'The destination stopped sending what it was asked for. Ferry tries again.',
    { retry: 'now' },
  );
}
