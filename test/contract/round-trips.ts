import { setTimeout as wait } from 'node:timers/promises';
import type { Front, Seen } from '../servers/http-front.ts';

/** Long enough for whatever is asked at the same time to meet, in ms. */
const TOGETHER_MS = 50;

/**
 * What passes a front from now on, by the round trips that it takes: each has the requests, in order of
 * their names, that were under way at the same time.
 */
export function recordTrips(front: Front, nameOf: (seen: Seen) => string): () => string[][] {
  const trips: string[][] = [];
  let waiting = 0;
  front.react(async (seen) => {
    if (waiting === 0) trips.push([]);
    trips.at(-1)?.push(nameOf(seen));
    waiting += 1;
    await wait(TOGETHER_MS);
    waiting -= 1;
    return undefined;
  });
  return () => trips.map((together) => together.toSorted());
}
