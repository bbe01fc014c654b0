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

/** The job that an id names. @throws Error where it is none */
export function readJobId(id: string): JobName {
  const [userId, slot, destination, ...others] = id.split('#');
  if (userId && slot && destination && others.length === 0) return { userId, slot, destination };
  throw new Error(`This is no id of a job: ${id}`);
}

/** Deterministic, so that a duplicate message is recognised wherever it shows up. */
export function jobId(job: JobName): string {
  return `${job.userId}#${job.slot}#${job.destination}`;
}
