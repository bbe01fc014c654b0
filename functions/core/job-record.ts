import type { ErrorCode } from './errors.ts';
import type { Job } from './job.ts';

/** How a job stands. A failed one runs again when its message is redriven. */
export type JobState = 'running' | 'succeeded' | 'failed' | 'skipped';

/** Why a job did not succeed, for people; no secret in it. */
export interface JobError {
  readonly code: ErrorCode;
  readonly message: string;
  /** Staging key, where the trouble was one archive's. */
  readonly archive?: string | undefined;
}

/** What the runs table knows of one job. */
export interface JobRecord {
  readonly v: 1;
  readonly jobId: string;
  readonly state: JobState;
  readonly hop: number;
  /** Number of the lease under which it was written last. */
  readonly fence: number;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly endedAt?: string | undefined;
  /** Delivered by this job so far. */
  readonly archives: number;
  readonly bytes: number;
  readonly errors: readonly JobError[];
  /** One line for a person where nothing was to be done or the job was not needed. */
  readonly reason?: string | undefined;
}

/**
 * Whether a message still asks for something.
 * - `done`: the job has ended; the message is a duplicate.
 * - `stale`: a later hop carries the job on.
 */
export function admit(message: Job, record: JobRecord | undefined): 'run' | 'done' | 'stale' {
  if (!record) return 'run';
  if (record.state === 'succeeded' || record.state === 'skipped') return 'done';
  return message.hop < record.hop ? 'stale' : 'run';
}
