import { FerryError } from '../../functions/core/errors.ts';

/** The error that work fails with; anything else than an error of Ferry's fails the test. */
export async function failure(work: Promise<unknown>): Promise<FerryError> {
  const thrown = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(thrown instanceof FerryError)) throw new Error('no FerryError', { cause: thrown });
  return thrown;
}
