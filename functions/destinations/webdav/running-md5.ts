import { createHash } from 'node:crypto';
import type { PartPlan } from '../../core/parts.ts';
import type { Part } from '../contract.ts';

/**
 * The MD5 of a file as it is sent, in order and by one process. Some servers give the MD5 that they
 * computed of a file as its ETag, which then proves every byte.
 */
export interface RunningMd5 {
  /** @param etag that the server gives the file so far: once one is no MD5, none is computed any more */
  take(part: Pick<Part, 'number' | 'bytes'>, etag?: string): void;
  /** Lowercase hex; undefined where it has not seen the whole file. */
  digest(): string | undefined;
}

/** As a strong ETag (RFC 9110, 8.8.3). */
const MD5 = /^"[0-9a-f]{32}"$/i;

/** @param held parts that an earlier process sent; their bytes are not known here */
export function openRunningMd5({ count }: PartPlan, held: number): RunningMd5 {
  const hash = createHash('md5');
  let next = held === 0 ? 0 : Number.NaN;
  return {
    take({ number, bytes }, etag) {
      // It takes as long as all else that is done with a byte here.
      if (etag !== undefined && !MD5.test(etag)) next = Number.NaN;
      if (number !== next) return;
      hash.update(bytes);
      next += 1;
    },
    digest: () => (next === count ? hash.copy().digest('hex') : undefined),
  };
}
