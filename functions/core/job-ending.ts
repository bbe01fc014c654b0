import type { ErrorCode } from './errors.ts';
import type { JobName } from './job.ts';
import type { JobRecord } from './job-record.ts';

/** How a job has ended, and the line for people that says why where it did not succeed. */
export interface Ending {
  readonly state: 'succeeded' | 'failed' | 'skipped';
  readonly message?: string | undefined;
}

/** What the user's row says of the last run, written when a job ends. */
export interface RunReport {
  readonly slot: string;
  readonly outcome: Ending['state'];
  /** ISO 8601, UTC. */
  readonly at: string;
  /** One line for a person: what went wrong, or why nothing was done. */
  readonly message?: string | undefined;
  readonly code?: ErrorCode | undefined;
}

/** What is written when a job ends: the user's row first, then its record, which nobody waits for any more. */
export function closeJob(
  job: JobName,
  record: JobRecord,
  { state, message }: Ending,
  now: number,
): { readonly report: RunReport; readonly record: JobRecord } {
  const at = new Date(now).toISOString();
  const code = record.errors.at(-1)?.code;
  const reason = state === 'skipped' ? message : undefined;
  return {
    report: { slot: job.slot, outcome: state, at, message, code },
    record: { ...record, state, reason, endedAt: at, expectedBy: undefined },
  };
}

/** What the row was told of a job that has ended; undefined of one that has not. */
export function reportOf(
  { slot }: JobName,
  { state, endedAt, errors, reason }: JobRecord,
): RunReport | undefined {
  if (state === 'running' || endedAt === undefined) return undefined;
  const message = state === 'failed' ? errors[0]?.message : reason;
  return { slot, outcome: state, at: endedAt, message, code: errors.at(-1)?.code };
}
