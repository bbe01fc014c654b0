import type { FerryEvent } from '../core/event.ts';
import type { Job, JobName } from '../core/job.ts';
import type { RunReport } from '../core/job-ending.ts';
import type { JobRecord } from '../core/job-record.ts';
import type { Lease, LeaseAnswer } from '../core/lease.ts';

/** The runs table as the sweep sees it. */
export interface SweepRuns {
  /** Every partition of the index of jobs that somebody is to carry on. */
  readonly shards: readonly string[];
  /**
   * Jobs of one shard that were expected before an instant (ISO 8601 UTC), longest first, by pages.
   * The index may lag behind the records.
   */
  overdue(shard: string, before: string): AsyncIterable<readonly JobName[]>;
  /** The record as it is now. */
  job(job: JobName): Promise<JobRecord | undefined>;
  /** Notes that a job was swept. False, and nothing written, where it is not expected as `seen` any more. */
  moveOn(job: JobName, seen: JobRecord, swept: JobRecord): Promise<boolean>;
  /** Takes the lease on the job's destination, or tells who has it. `until` in epoch ms. */
  acquire(job: JobName, owner: string, until: number): Promise<LeaseAnswer>;
  /** Written under `record.fence`. @throws FerryError `lease-lost` when a later holder has written */
  saveJob(job: JobName, record: JobRecord): Promise<void>;
  release(lease: Lease): Promise<void>;
}

/** The job queue as the sweep sees it. */
export interface JobSender {
  /** Resolves with the jobs that are not on the queue. */
  send(
    jobs: readonly Job[],
  ): Promise<readonly { readonly job: Job; readonly code: string; readonly message: string }[]>;
}

/** What one sweep did, in jobs. */
export interface SweepSummary {
  /** Put on the queue again. */
  readonly swept: number;
  /** Ended as failed. */
  readonly givenUp: number;
  /** Overdue, and left for the next sweep because something failed. */
  readonly left: number;
}

export interface SweepMetrics {
  sweepEnded(summary: SweepSummary): void;
}

/** Where the sweep writes what happened. Fields hold no secret. */
export interface Log {
  info(message: string, fields: Record<string, unknown>): void;
  warn(message: string, fields: Record<string, unknown>): void;
}

export interface SweepTools {
  readonly runs: SweepRuns;
  readonly queue: JobSender;
  /** Tells operators; resolves also where nobody could be told. */
  raise(events: readonly FerryEvent[]): Promise<void>;
  /** Notes the outcome in the user's row. */
  report(userId: string, destination: string, run: RunReport): Promise<void>;
  readonly metrics: SweepMetrics;
  readonly log: Log;
}
