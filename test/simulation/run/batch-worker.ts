import { parentPort, workerData } from 'node:worker_threads';
import { assertPlanted, plantBug } from '../plants/plant-bug.ts';
import type { Outcome } from './simulate.ts';

/** What one thread has to do. */
export interface Assignment {
  readonly first: number;
  readonly seeds: number;
  readonly plant: string | undefined;
  /** How many seeds have been taken, by all threads together. */
  readonly next: SharedArrayBuffer;
}

export type Result = Outcome;

/** Lines of history that are kept for a violation. */
const LINES = 60;

const { first, seeds, plant, next }: Assignment = workerData;
if (plant !== undefined) plantBug(plant);
// Loaded here, so that what is planted is there before.
const { simulate } = await import('./simulate.ts');
if (plant !== undefined) assertPlanted();
const taken = new Int32Array(next);
for (let at = Atomics.add(taken, 0, 1); at < seeds; at = Atomics.add(taken, 0, 1)) {
  const outcome = await simulate(first + at, { lines: LINES });
  const isGood = outcome.violation === undefined;
  parentPort?.postMessage(isGood ? { ...outcome, history: [] } : outcome);
}
