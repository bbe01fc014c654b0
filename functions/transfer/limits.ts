import type { StagedArchive } from '../core/archive.ts';
import type { Clock } from '../core/clock.ts';
import { FerryError } from '../core/errors.ts';
import { type Job, jobId } from '../core/job.ts';
import type { JobError } from '../core/job-record.ts';
import type { Lease } from '../core/lease.ts';
import { monthBytesProblem, type Policy, runBytesProblem } from '../core/policy.ts';
import type { Runs, Source } from './ports.ts';

/** What keeping the operator's limits needs. */
export interface LimitTools {
  readonly job: Job;
  readonly lease: Lease;
  readonly settings: { readonly policy: Policy };
  readonly source: Source;
  readonly runs: Runs;
  readonly clock: Pick<Clock, 'now'>;
  readonly signal: AbortSignal;
  isWanted(archive: StagedArchive): boolean;
}

/**
 * Looks before the first byte whether the whole run is within the limit: what is to be delivered, and
 * what earlier invocations of this job have delivered.
 * @param known trouble of earlier invocations; those contents are left out
 * @throws FerryError `policy` where it is not
 */
export async function assertRunFits(tools: LimitTools, known: readonly JobError[]): Promise<void> {
  const { job, lease, runs, settings, signal, source } = tools;
  if (settings.policy.mostBytesPerRun === undefined) return;
  let bytes = 0;
  for await (const staged of source.list(lease.userId, signal)) {
    const { etag, key, size } = staged;
    if (!tools.isWanted(staged)) continue;
    if (known.some((error) => error.archive === key && error.etag === etag)) continue;
    const by = await runs.deliveredBy(lease, staged);
    if (by === undefined || by === jobId(job)) bytes += size;
  }
  const message = runBytesProblem(settings.policy, bytes);
  if (message !== undefined) throw new FerryError('policy', message, { retry: 'never' });
}

/**
 * Why the month has no room for an archive; undefined where it has.
 * @param underWay bytes that this job delivers meanwhile
 */
export async function monthProblem(
  { clock, job, runs, settings }: LimitTools,
  { size }: StagedArchive,
  underWay: number,
): Promise<string | undefined> {
  if (settings.policy.mostBytesPerMonth === undefined) return undefined;
  const delivered = await runs.deliveredIn(job.userId, monthOf(clock));
  return monthBytesProblem(settings.policy, delivered + underWay, size);
}

/**
 * Counts a delivery in its month. It comes after the receipt: a worker that is killed in between has
 * delivered one archive that the month does not know of, and never one twice.
 */
export function countDelivered({ clock, job, runs }: LimitTools, bytes: number): Promise<void> {
  return runs.countDelivered(job.userId, monthOf(clock), bytes);
}

/** UTC, such as `2026-11`. */
function monthOf(clock: Pick<Clock, 'now'>): string {
  return new Date(clock.now()).toISOString().slice(0, 7);
}
