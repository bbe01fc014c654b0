/** What one queue message asks for: one user, one slot, one destination. */
export interface Job {
  readonly userId: string;
  /** The planned instant, ISO 8601 UTC with minutes' precision or finer. */
  readonly slot: string;
  /** The destination's name in the user's row. */
  readonly destination: string;
  /** 0 for the first invocation; a continuation counts on. */
  readonly hop: number;
}

/** What names a job, whichever hop it is in. */
export type JobName = Omit<Job, 'hop'>;

/** Deterministic, so that a duplicate message is recognised wherever it shows up. */
export function jobId(job: JobName): string {
  return `${job.userId}#${job.slot}#${job.destination}`;
}
