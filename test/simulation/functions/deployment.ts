import type { Spread } from '../../../functions/core/plan.ts';
import type { Hashing } from '../../../functions/core/running-hash.ts';
import type { DueIndex } from '../cloud/due-index.ts';
import type { Environment, Invocation, Nature } from '../cloud/environment.ts';
import type { JobQueue } from '../cloud/job-queue.ts';
import type { StagingBucket } from '../cloud/staging-bucket.ts';
import type { Table } from '../cloud/tables.ts';
import type { Server } from '../destinations/server.ts';
import type { Deliveries } from '../invariants/deliveries.ts';
import type { Jobs } from '../invariants/jobs.ts';
import type { Witness } from '../invariants/witness.ts';

/** One deployment of Ferry and everything around it. */
export interface Deployment {
  readonly nature: Nature;
  readonly settings: Table;
  readonly dueIndex: DueIndex;
  readonly runs: Table;
  readonly staging: StagingBucket;
  readonly queue: JobQueue;
  /** By `placeOf`. */
  readonly servers: ReadonlyMap<string, Server>;
  readonly spread: Spread;
  readonly maxReceiveCount: number;
  /** Bytes of archives that a worker may hold. */
  readonly inFlight: number;
  /** How long a worker lives, in ms. */
  readonly timeoutMs: number;
  readonly hashing: Hashing;
  /** The processes that take jobs from the queue. */
  readonly workers: readonly Environment[];
  readonly witness: Witness;
  readonly deliveries: Deliveries;
  readonly jobs: Jobs;
}

/** Names one destination of one user. */
export function placeOf(at: { readonly userId: string; readonly destination: string }): string {
  return `${at.userId}/${at.destination}`;
}

/** A function that runs now and then beside those that every deployment has, such as a sweeper. */
export interface PeriodicFunction {
  readonly name: string;
  readonly everyMs: number;
  readonly timeoutMs: number;
  run(deployment: Deployment, invocation: Invocation): Promise<void>;
}
