import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Place } from './place.ts';

/** Files that are looked at and removed at once. */
const AT_ONCE = 8;
const run = promisify(execFile);

/**
 * Sees that everything is there, and takes it away.
 * @throws Error where a file is missing or of another size
 */
export async function takeArrived(
  place: Place,
  folder: string,
  files: readonly string[],
  sizeBytes: number,
): Promise<void> {
  const left = [...files];
  const lane = async () => {
    for (let file = left.shift(); file !== undefined; file = left.shift()) {
      const path = `${folder}/${file}`;
      const size = await place.sizeOf(path);
      if (size !== sizeBytes) throw new Error(`${path} has ${size} bytes of ${sizeBytes}.`);
      await place.remove(path);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  await settle();
}

/** What is still to be written to a disk is not the next one's trouble. */
export async function settle(): Promise<void> {
  await run('sync');
}
