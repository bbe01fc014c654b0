import { createHash } from 'node:crypto';
import { Writable } from 'node:stream';
import type { StagedFile } from './archives.ts';
import { type Destinations, serverFor } from './destinations.ts';
import type { LocalDestination, LocalUser } from './users.ts';
import { BACKUP_FOLDER } from './users.ts';

/** One archive that one destination has to have in the end. */
export interface ExpectedDelivery {
  readonly userId: string;
  readonly destination: string;
  readonly place: LocalDestination;
  readonly archive: StagedFile;
}

/** What is really there. */
export type Finding =
  | { readonly verified: true }
  | { readonly verified: false; readonly why: string };

/** Every archive that the users asked for, once for each of their destinations. */
export function expectedDeliveries(
  users: readonly LocalUser[],
  staged: readonly StagedFile[],
): ExpectedDelivery[] {
  return users.flatMap((user) =>
    Object.entries(user.destinations).flatMap(([destination, place]) =>
      staged
        .filter(({ userId, component }) => {
          const wanted = user.backUp === 'everything' || user.backUp.includes(component);
          return userId === user.id && wanted;
        })
        .map((archive) => ({ userId: user.id, destination, place, archive })),
    ),
  );
}

/** Reads one archive back and compares its SHA-256 with what `tar` wrote into staging. */
export async function verify(
  expected: ExpectedDelivery,
  destinations: Destinations,
  signal: AbortSignal,
): Promise<Finding> {
  const hash = createHash('sha256');
  let bytes = 0;
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      bytes += chunk.length;
      done();
    },
  });
  try {
    const path = `${BACKUP_FOLDER}/${expected.archive.component}/${expected.archive.file}`;
    const { place, userId } = expected;
    const login = { userId, password: place.password };
    await serverFor(place.type, destinations).read(login, path, sink, signal);
  } catch (error) {
    return { verified: false, why: error instanceof Error ? error.message : String(error) };
  }
  if (hash.digest('hex') === expected.archive.sha256) return { verified: true };
  return {
    verified: false,
    why: `The ${bytes} bytes found are not the ${expected.archive.bytes} bytes that were staged.`,
  };
}
