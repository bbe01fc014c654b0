import type { Job } from '../core/job.ts';
import type { JobRecord } from '../core/job-record.ts';
import type { Lease } from '../core/lease.ts';
import { expectedAfter } from '../core/overdue.ts';
import type { Policy } from '../core/policy.ts';
import { type Delivery, type EndingTools, end } from './end-job.ts';
import type { JobResult } from './ports.ts';

/** Before a job that waits looks again, in ms; random in between, so that those who met do not meet again. */
const WAIT_MS = [30_000, 120_000] as const;
/** A job that has waited for so long has failed, before many runs of it are waiting. */
const LONGEST_WAIT_MS = 24 * 3600_000;

/**
 * Lets a job wait while as many of the user's jobs are under way as the operator allows. Every job
 * takes its lease before it counts the others', so never are more at work; jobs that meet there all
 * step back. Undefined where it is the job's turn.
 *
 * It waits in a message of its own, which uses up no delivery and is the next hop: whatever else is sent
 * of the one before finds that the job has gone on. Order: message sent → record → lease given back →
 * this message acknowledged by the caller. A crash before the record lets this message come back and
 * send a twin of that one; the first of the two to look makes the other one of a hop gone by.
 */
export async function waitForTurn(
  tools: EndingTools,
  { mostJobsAtOnce: most }: Policy,
  job: Job,
  delivery: Delivery,
  lease: Lease,
  record: JobRecord,
): Promise<JobResult | undefined> {
  const { log, runs } = tools;
  const { clock } = delivery;
  if (most === undefined) return undefined;
  const others = await runs.othersAtWork(lease);
  // Who is cancelled need not wait to be told so.
  if (others < most || (await runs.isCancelled(job))) return undefined;
  if (clock.now() - Date.parse(record.startedAt) > LONGEST_WAIT_MS) {
    const message =
      `The run waited for a day while ${others} others of this user were under way; the operator allows ${most} at once (mostJobsAtOnce). ` +
      'Run less often, to fewer destinations, or ask the operator for more.';
    const errors = [...record.errors, { code: 'policy', message } as const];
    return end(tools, job, { ...record, errors }, { state: 'failed', message }, clock);
  }
  const [least, longest] = WAIT_MS;
  const delayMs = Math.round(least + clock.random() * (longest - least));
  log.info('job waits for its turn', { others, most, delayMs });
  const expectedBy = expectedAfter(clock.now(), delayMs);
  const next = { ...job, hop: job.hop + 1 };
  await tools.sendContinuation(next, delayMs);
  await runs.saveJob(job, { ...record, hop: next.hop, expectedBy, sweeps: undefined });
  await runs.release(lease);
  return { outcome: 'continued' };
}
