import { FerryError } from './errors.ts';

export const MiB = 1024 * 1024;
export const GiB = 1024 * MiB;

/** What a destination can take, in bytes. */
export interface PartLimits {
  /** Smallest part but for the last one. */
  readonly min: number;
  readonly max: number;
  /** What destination and network work best with; used where the archive allows it. */
  readonly preferred: number;
  /** Every part but the last is a multiple of this. */
  readonly multiple: number;
  /** How many parts one file may have. */
  readonly most: number;
}

/** How one archive is cut. Part `n` (from 0) starts at `n * partSize`. */
export interface PartPlan {
  /** Bytes of the whole archive. */
  readonly size: number;
  /** Bytes of every part but the last. */
  readonly partSize: number;
  /** 0 for an empty archive. */
  readonly count: number;
}

export interface PartRange {
  /** From 0. */
  readonly number: number;
  /** Bytes from the start of the archive. */
  readonly offset: number;
  /** Bytes. */
  readonly length: number;
}

/**
 * Cuts an archive into parts of one size: a pure function of its size, the destination's limits and
 * the memory budget, so that part number and byte range map to each other after any crash.
 * @param largest bytes that the caller can hold for one part
 * @throws FerryError `too-large`, before anything was sent, where no part size fits
 */
export function planParts(size: number, limits: PartLimits, largest: number): PartPlan {
  const roundUp = (bytes: number, step: number) => Math.ceil(bytes / step) * step;
  const needed = roundUp(Math.ceil(size / limits.most), limits.multiple);
  const wanted = Math.max(
    limits.preferred,
    limits.min,
    needed > limits.preferred ? roundUp(needed, MiB) : 0,
  );
  const ceiling = Math.min(limits.max, largest);
  const partSize = Math.min(
    roundUp(wanted, limits.multiple),
    ceiling - (ceiling % limits.multiple),
  );
  if (partSize < Math.max(limits.min, 1) || partSize * limits.most < size) {
    throw new FerryError(
      'too-large',
      `The archive has ${size} bytes; this destination takes at most ${limits.most} parts of ${ceiling} bytes. ` +
        'Split the archive into smaller ones or choose another destination.',
      { retry: 'never', scope: 'archive' },
    );
  }
  return { size, partSize, count: Math.ceil(size / partSize) };
}

/** The byte range of part `number` (from 0). */
export function partRange(plan: PartPlan, number: number): PartRange {
  const offset = number * plan.partSize;
  return { number, offset, length: Math.min(plan.partSize, plan.size - offset) };
}
