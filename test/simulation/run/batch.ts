import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Assignment, Result } from './batch-worker.ts';

/** Seeds that are simulated on every processor of this machine, each on its own. */
export interface Batch {
  readonly first: number;
  readonly seeds: number;
  /** Name of a bug to be planted. */
  readonly plant: string | undefined;
  /** Called for each world, in no order. True ends the batch. */
  ended(result: Result): boolean;
}

const MOST_THREADS = 8;
/** Below this a thread costs more than it brings. */
const LEAST_SEEDS = 20;

/** Resolves when all seeds were simulated, or one has ended the batch. */
export async function runBatch({ first, seeds, plant, ended }: Batch): Promise<void> {
  const threads = Math.min(
    MOST_THREADS,
    availableParallelism(),
    Math.max(1, Math.ceil(seeds / LEAST_SEEDS)),
  );
  const next = new SharedArrayBuffer(4);
  const work = async () => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const workerData: Assignment = { first, seeds, plant, next };
    const worker = new Worker(new URL('batch-worker.ts', import.meta.url), { workerData });
    worker.on('message', (result: Result) => {
      if (ended(result)) Atomics.store(new Int32Array(next), 0, seeds);
    });
    worker.on('error', reject);
    worker.on('exit', () => resolve());
    await promise;
  };
  await Promise.all(Array.from({ length: threads }, work));
}
