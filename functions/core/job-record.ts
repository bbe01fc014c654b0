import type { ErrorCode } from './errors.ts';
import { type Job, jobId } from './job.ts';

/** How a job stands. */
export type JobState = 'running' | 'succeeded' | 'failed' | 'skipped';

/** Why a job did not succeed, for people; no secret in it. */
export interface JobError {
  readonly code: ErrorCode;
  readonly message: string;
  /** Staging key, where the trouble was met with one archive. */
  readonly archive?: string | undefined;
  /** Of that archive, where the trouble is its own and stays: this content is not tried again. */
  readonly etag?: string | undefined;
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
  /** Its message is a dead letter, which runs the job again when it is redriven. */
  readonly deadLetter?: boolean | undefined;
  /** One line for a person where nothing was to be done or the job was not needed. */
  readonly reason?: string | undefined;
  /**
   * While it is running: when, ISO 8601 UTC, somebody has carried it on at the latest. Whoever looks
   * later takes it for lost (`overdue.ts`).
   */
  readonly expectedBy?: string | undefined;
  /** How often it was lost and put on the queue again since a worker last handed it on. */
  readonly sweeps?: number | undefined;
}

/**
 * Whether a message still asks for something.
 * - `done`: the job has ended; the message is a duplicate.
 * - `stale`: a later hop carries the job on.
 */
export function admit(message: Job, record: JobRecord | undefined): 'run' | 'done' | 'stale' {
  if (!record) return 'run';
  if (record.state !== 'running' && !record.deadLetter) return 'done';
  return message.hop < record.hop ? 'stale' : 'run';
}

/** The record of a job that starts, goes on in its next hop, or is tried again. */
export function startRecord(
  job: Job,
  earlier: JobRecord | undefined,
  fence: number,
  now: number,
): JobRecord {
  const goesOn = earlier?.state === 'running';
  return {
    v: 1,
    jobId: jobId(job),
    state: 'running',
    hop: job.hop,
    fence,
    startedAt: earlier?.startedAt ?? new Date(now).toISOString(),
    archives: earlier?.archives ?? 0,
    bytes: earlier?.bytes ?? 0,
    errors: goesOn ? earlier.errors.filter(({ etag }) => etag !== undefined) : [],
    sweeps: goesOn ? earlier.sweeps : undefined,
  };
}
