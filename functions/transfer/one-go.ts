import type { Clock } from '../core/clock.ts';
import { FerryError } from '../core/errors.ts';
import { MiB } from '../core/parts.ts';

import type { Reserve } from './reserve.ts';

/** How often, over all invocations, an archive is sent from its start that cannot be continued. */
const MOST_BEGINNINGS = 8;
/** A rate is believed after this time, in ms, and only where it misses the end by this factor. */
const MEASURED_MS = 60_000;
const HOPELESS = 2;

/**
 * Watches a transfer to a destination that cannot continue what was interrupted: the whole archive
 * goes in one invocation, or it never arrives and every try costs its traffic again.
 */
export interface OneGo {
  /** Called when it begins: `before` is how often it has begun already. @throws FerryError `too-large` */
  start(before: number): void;
  /** Called as bytes arrive. @throws FerryError `too-large` as soon as the end is clearly out of reach */
  moved(bytes: number): void;
  /** Called when time has run out: `too-large` where there was a whole invocation for it. */
  outOfTime(): FerryError | undefined;
}

/** @param size of the archive, bytes */
export function openOneGo(size: number, clock: Clock, reserve: Reserve): OneGo {
  let startedAt = clock.now();
  let hadAll = false;
  let arrived = 0;

  const refusal = () => {
    const minutes = Math.max(1, Math.round((clock.now() - startedAt) / 60_000));
    return new FerryError(
      'too-large',
      `In the ${minutes} min that Ferry tried, ${toMebibytes(arrived)} of ${toMebibytes(size)} MiB arrived, ` +
        'and this server cannot continue an upload that was interrupted. Split the archive into smaller ones, ' +
        'or choose a destination that can continue, such as SSH or S3.',
      { retry: 'never', scope: 'archive' },
    );
  };

  return {
    start(before) {
      startedAt = clock.now();
      hadAll = reserve.isFresh();
      arrived = 0;
      if (before < MOST_BEGINNINGS) return;
      throw new FerryError(
        'too-large',
        `The archive was sent from its start ${MOST_BEGINNINGS} times and never got through, ` +
          'and this server cannot continue an upload that was interrupted. Look for what breaks the connection, ' +
          'split the archive into smaller ones, or choose a destination that can continue, such as SSH or S3.',
        { retry: 'never', scope: 'archive' },
      );
    },
    moved(bytes) {
      arrived += bytes;
      const took = clock.now() - startedAt;
      if (!hadAll || took < MEASURED_MS) return;
      const missing = ((size - arrived) / arrived) * took;
      if (missing > HOPELESS * clock.remaining()) throw refusal();
    },
    outOfTime: () => (hadAll && arrived > 0 ? refusal() : undefined),
  };
}

function toMebibytes(bytes: number): string {
  return (bytes / MiB).toFixed(bytes < 10 * MiB ? 1 : 0);
}
