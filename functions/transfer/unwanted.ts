import { FerryError, toFerryError } from '../core/errors.ts';

/** Somebody switched Ferry off, and keeps nothing half of what was sent. */
export function switchedOff(): FerryError {
  return new FerryError(
    'switched-off',
    'The user or the destination was removed or switched off while the run was under way.',
    { retry: 'never' },
  );
}

export function cancelled(): FerryError {
  return new FerryError(
    'cancelled',
    'The run was cancelled. What it had delivered stays, and the next run delivers the rest.',
    { retry: 'never' },
  );
}

/** Whether a job stops because nobody wants it any more: that is no trouble, and no later try changes it. */
export function isUnwanted(why: unknown): why is FerryError {
  return why instanceof FerryError && (why.code === 'cancelled' || why.code === 'switched-off');
}

/** Why nobody wants a job any more; undefined while somebody does. */
export async function whyUnwanted(
  assertActive: () => Promise<void>,
): Promise<FerryError | undefined> {
  try {
    await assertActive();
    return undefined;
  } catch (thrown) {
    const error = toFerryError(thrown);
    if (isUnwanted(error)) return error;
    throw error;
  }
}
