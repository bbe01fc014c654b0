import { createHash } from 'node:crypto';
import type { PartPlan } from '../../core/parts.ts';
import type { Part } from '../contract.ts';

/**
 * The MD5 of a file as it is sent, in order and by one process. Some servers give the MD5 that they
 * computed of a file as its ETag, which then proves every byte.
 */
export interface RunningMd5 {
  take(part: Pick<Part, 'number' | 'bytes'>): void;
  /** Lowercase hex; undefined where it has not seen the whole file. */
  digest(): string | undefined;
}

/** @param held parts that an earlier process sent; their bytes are not known here */
export function openRunningMd5({ count }: PartPlan, held: number): RunningMd5 {
  const hash = createHash('md5');
  let next = held === 0 ? 0 : Number.NaN;
  return {
    take({ number, bytes }) {
      if (number !== next) return;
      hash.update(bytes);
      next += 1;
    },
    digest: () => (next === count ? hash.copy().digest('hex') : undefined),
  };
}
