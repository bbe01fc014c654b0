import type { Clock } from '../core/clock.ts';
import { toFerryError } from '../core/errors.ts';
import { GiB } from '../core/parts.ts';

/** How often a transfer's progress is told, and how often it is saved, in ms. */
const TELL_EVERY = 1_000;
const SAVE_EVERY = 10_000;
/** What a killed process may cost at most of what cannot be seen at the destination, in bytes. */
const SAVE_EVERY_BYTES = GiB;

/** Tells how far a transfer is and saves it, each now and then. */
export interface Watch {
  /** To be called after each part, with its bytes. */
  look(bytes: number): void;
  /** Aborted with the reason when saving failed: somebody else may have taken the transfer over. */
  readonly signal: AbortSignal;
  /** Resolves when no save is under way. */
  settled(): Promise<void>;
}

export function openWatch(clock: Clock, tell: () => void, save: () => Promise<void>): Watch {
  const failing = new AbortController();
  let saving = Promise.resolve();
  let savedAt = clock.now();
  let toldAt = 0;
  let unsaved = 0;
  return {
    look(bytes) {
      unsaved += bytes;
      const now = clock.now();
      if (now - toldAt >= TELL_EVERY) {
        toldAt = now;
        tell();
      }
      if (now - savedAt >= SAVE_EVERY || unsaved >= SAVE_EVERY_BYTES) {
        savedAt = now;
        unsaved = 0;
        saving = saving.then(save).catch((error: unknown) => failing.abort(toFerryError(error)));
      }
    },
    signal: failing.signal,
    settled: () => saving,
  };
}
