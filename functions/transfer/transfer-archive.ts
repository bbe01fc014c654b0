import type { Archive } from '../core/archive.ts';
import { RECONNECT, waitBefore } from '../core/backoff.ts';
import { type FerryError, toFerryError } from '../core/errors.ts';
import type { Delivery, Transfer, TransferTools } from './attempt.ts';
import { openTransfer } from './transfer.ts';

/** Broken connections in a row, without a byte moved between them, before the queue takes over. */
const MOST_FAILURES = 5;

/** How a transfer came out of this invocation. With neither delivery nor failure, time ran out. */
export interface Transferred {
  readonly delivery?: Delivery | undefined;
  /** Why trying again here is of no use, as the driver or the source said it. */
  readonly failure?: FerryError | undefined;
  /** Bytes that arrived here, also where it failed in the end. */
  readonly movedBytes: number;
}

/**
 * Takes one archive to one destination, from where an earlier process left it or from the start, and
 * over broken connections. Ends with a delivery, or without one when time is nearly over; then the
 * next invocation goes on.
 *
 * Order of effects, each safe to repeat after a crash: note that it begins → parts → checkpoint → … →
 * checkpoint with the digest, where there were several parts or there is no time left → note of what is
 * about to be shown → lease looked at once more → publish and prove. The caller writes the receipt after
 * that, then removes the checkpoint.
 * @throws FerryError `lease-lost` when another worker has taken over
 */
export async function transferArchive(
  tools: TransferTools,
  archive: Archive,
): Promise<Transferred> {
  const transfer = await openTransfer(tools, archive);
  try {
    const delivery = await persist(tools, archive, transfer);
    if (!delivery) await transfer.outOfTime();
    return { delivery, movedBytes: transfer.movedBytes };
  } catch (thrown) {
    const failure = toFerryError(thrown);
    if (failure.code === 'lease-lost') throw failure;
    return { failure, movedBytes: transfer.movedBytes };
  }
}

/** Attempts until one ends well, time runs out or trying is of no use. */
async function persist(
  { clock, log, signal }: TransferTools,
  archive: Archive,
  transfer: Transfer,
): Promise<Delivery | undefined> {
  let failures = 0;
  let movedBefore = 0;
  for (;;) {
    try {
      return await transfer.attempt();
    } catch (thrown) {
      const error = toFerryError(thrown);
      const { code, message, retry, retryAfterMs } = error;
      if (code === 'lease-lost') throw error;
      if (signal.aborted) return undefined;
      if (retry === 'never') await transfer.discard();
      if (retry !== 'now') throw error;
      if (code === 'upload-lost' || code === 'corrupted') await transfer.restart(error);
      failures = transfer.movedBytes > movedBefore ? 1 : failures + 1;
      movedBefore = transfer.movedBytes;
      if (failures > MOST_FAILURES) throw error;
      const delayMs = waitBefore(RECONNECT, failures, clock.random(), retryAfterMs);
      log.warn('trying again', { archive: archive.key, code, reason: message, delayMs });
      await clock.pause(delayMs, signal);
    }
  }
}
