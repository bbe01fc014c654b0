import { setTimeout as wait } from 'node:timers/promises';
import type { Way } from './places/place.ts';

export interface VisibleName extends Disposable {
  /** What was seen under the name that should never be. */
  complaints(): string[];
}

const LOOK_MS = 200;

/**
 * Looks again and again at what is under a final name: never may it be of another size than these, and
 * once it is of the last one it stays so.
 */
export function watchName(
  way: Way,
  path: string,
  allowed: readonly (number | undefined)[],
): VisibleName {
  const whole = allowed.at(-1);
  const complaints = new Set<string>();
  let isWhole = false;
  let isOver = false;
  const look = async () => {
    while (!isOver) {
      // A server that is being restarted shows nothing.
      const seen = await way.sizeOf(path).then(
        (size) => ({ size }),
        () => undefined,
      );
      if (seen && !isOver) {
        const { size } = seen;
        if (!allowed.includes(size)) complaints.add(`${size} bytes were visible under the name`);
        if (isWhole && size !== whole) complaints.add('the whole file went away again');
        isWhole = size === whole;
      }
      await wait(LOOK_MS);
    }
  };
  void look();
  return {
    complaints: () => [...complaints],
    [Symbol.dispose]() {
      isOver = true;
    },
  };
}
