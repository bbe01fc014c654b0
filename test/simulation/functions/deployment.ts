import type { Spread } from '../../../functions/core/plan.ts';
import type { Hashing } from '../../../functions/core/running-hash.ts';
import type { Environment, Nature } from '../cloud/environment.ts';
import type { JobQueue } from '../cloud/job-queue.ts';
import type { KeyService } from '../cloud/key-service.ts';
import type { SparseIndex } from '../cloud/sparse-index.ts';
import type { StagingBucket } from '../cloud/staging-bucket.ts';
import type { Table } from '../cloud/tables.ts';
import type { Server } from '../destinations/server.ts';
import type { Deliveries } from '../invariants/deliveries.ts';
import type { Jobs } from '../invariants/jobs.ts';
import type { Leases } from '../invariants/leases.ts';
import type { Witness } from '../invariants/witness.ts';

/** One deployment of Ferry and everything around it. */
export interface Deployment {
  readonly nature: Nature;
  readonly settings: Table;
  /** Users by when they are due. */
  readonly dueIndex: SparseIndex;
  readonly runs: Table;
  /** Jobs by when somebody has carried them on at the latest. */
  readonly sweepIndex: SparseIndex;
  readonly staging: StagingBucket;
  readonly queue: JobQueue;
  readonly keys: KeyService;
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
  readonly leases: Leases;
  readonly jobs: Jobs;
}

/** Names one destination of one user. */
export function placeOf(at: { readonly userId: string; readonly destination: string }): string {
  return `${at.userId}/${at.destination}`;
}
