import { endingEvents } from '../core/event.ts';
import { type JobName, jobId } from '../core/job.ts';
import { closeJob } from '../core/job-ending.ts';
import { CLOCK_SKEW_MS } from '../core/lease.ts';
import { isOverdue } from '../core/overdue.ts';
import type { SweepTools } from './ports.ts';
import type { Sweep } from './sweep-page.ts';

/**
 * Ends a job as failed that was lost again and again, as a worker would: lease → the user's row → job
 * record → lease given back. Messages that are left of it find it done. False where somebody has the
 * destination or the job meanwhile; then a later sweep looks again.
 */
export async function giveUp(tools: SweepTools, sweep: Sweep, job: JobName): Promise<boolean> {
  const { log, runs } = tools;
  const { clock, invocation } = sweep;
  const until = clock.now() + clock.remaining() + CLOCK_SKEW_MS;
  const answer = await runs.acquire(job, `${invocation}#${jobId(job)}`, until);
  if (!answer.held) return false;
  const { lease } = answer;
  try {
    const current = await runs.job(job);
    if (!current || !isOverdue(current, clock.now())) return false;
    const message = lostMessage((current.sweeps ?? 0) + 1);
    const errors = [...current.errors, { code: 'worker-lost', message } as const];
    const last = { ...current, fence: lease.fence, errors };
    const ending = { state: 'failed', message } as const;
    const { report, record } = closeJob(job, last, ending, clock.now());
    await tools.report(job.userId, job.destination, report);
    await runs.saveJob(job, record);
    await tools.raise(endingEvents(job, report, record));
    const { userId, destination } = job;
    log.warn('lost job given up', { jobId: jobId(job), userId, destination, reason: message });
    return true;
  } finally {
    // A lease that is not given back ends by itself; what was decided stands all the same.
    await runs
      .release(lease)
      .catch((error: unknown) => log.warn('lease not given back', { error }));
  }
}

function lostMessage(times: number): string {
  return (
    `Ferry lost its worker ${times} times at the same place of this run and gave the run up. ` +
    'What it had delivered is safe, and the next run delivers the rest. ' +
    'If that is lost as well, it is for whoever operates Ferry to find out why.'
  );
}
