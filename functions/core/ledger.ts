import { combineCrc32, crc32Of } from './crc32.ts';
import { type PartPlan, partRange } from './parts.ts';
import type { Digest } from './receipt.ts';
import type { RunningHash } from './running-hash.ts';

/** What is known of the first `parts` parts of an archive, all of which the destination has taken. */
export interface Prefix {
  readonly parts: number;
  /** CRC-32 of those parts together. */
  readonly crc32: number;
  /** Saved SHA-256 state after those parts; absent where the hash cannot be carried on. */
  readonly sha256?: string | undefined;
}

export const EMPTY_PREFIX: Prefix = { parts: 0, crc32: 0 };

/** Keeps count of what passed and what arrived. Holds a few numbers for each part under way, no bytes. */
export interface Ledger {
  /** Accounts for a part's bytes; parts come in order. */
  take(number: number, bytes: Uint8Array): void;
  /** Notes that the destination has taken a part; in any order. */
  settle(number: number): void;
  /** Bytes that the destination has taken, this process' and earlier ones' together. */
  readonly settledBytes: number;
  /** The longest run of settled parts from the start. */
  prefix(): Prefix;
  /** Digests of the whole archive, once every part was taken; the same at each call. */
  digest(): Digest;
}

/** Opens the books for an archive whose first `from.parts` parts have arrived and are in `hash`. */
export function openLedger(plan: PartPlan, hash: RunningHash, from: Prefix): Ledger {
  let taken = from.parts;
  let takenCrc = from.crc32;
  let prefix = from;
  let settledBytes = Math.min(from.parts * plan.partSize, plan.size);
  let digest: Digest | undefined;
  const settled = new Set<number>();
  const afterPart = new Map<number, Prefix>();

  return {
    take(number, bytes) {
      const { length } = partRange(plan, number);
      if (number !== taken || bytes.length !== length) {
        throw new RangeError(
          `Part ${number} of ${bytes.length} bytes cannot follow part ${taken - 1}`,
        );
      }
      takenCrc = combineCrc32(takenCrc, crc32Of(bytes), length);
      hash.update(bytes);
      taken += 1;
      afterPart.set(number, { parts: taken, crc32: takenCrc, sha256: hash.save() });
    },
    settle(number) {
      settled.add(number);
      settledBytes += partRange(plan, number).length;
      for (let next = prefix.parts; settled.has(next); next = prefix.parts) {
        const after = afterPart.get(next);
        if (!after) throw new RangeError(`Part ${next} was settled before it was taken`);
        prefix = after;
        settled.delete(next);
        afterPart.delete(next);
      }
    },
    get settledBytes() {
      return settledBytes;
    },
    prefix: () => prefix,
    digest() {
      if (taken !== plan.count)
        throw new RangeError(`Only ${taken} of ${plan.count} parts were taken`);
      digest ??= { size: plan.size, sha256: hash.finish(), crc32: takenCrc };
      return digest;
    },
  };
}
