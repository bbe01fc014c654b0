import { isSelected } from '../core/archive.ts';
import { toFerryError } from '../core/errors.ts';
import { type Job, jobId } from '../core/job.ts';
import { admit, type JobRecord } from '../core/job-record.ts';
import { CLOCK_SKEW_MS, type Lease } from '../core/lease.ts';
import { describeProblems } from '../core/problem.ts';
import type { Hashing } from '../core/running-hash.ts';
import type { Buffers } from './buffers.ts';
import { deliverArchives, type Progress } from './deliver-archives.ts';
import {
  conclude,
  type Delivery,
  describeCause,
  type EndingTools,
  end,
  redelivery,
} from './end-job.ts';
import type { Clock, JobResult, SettingsReader, Source, TransferMetrics } from './ports.ts';

export interface JobTools extends EndingTools {
  readonly settings: SettingsReader;
  readonly source: Source;
  readonly hashing: Hashing;
  readonly buffers: Buffers;
  readonly metrics: TransferMetrics;
}

/** How much of the invocation is left when everything under way is cut off, in ms. */
const CUT_OFF_MS = 8_000;

/**
 * Runs one message of the job queue: every archive that is staged for the user, selected and not yet
 * delivered goes to the destination.
 *
 * Order of effects: lease → archives, each proven and with its receipt → the user's row → job record →
 * lease given back → (continuation sent) → message acknowledged by the caller. A crash anywhere lets
 * the message come back, and what has a receipt is not sent again.
 */
export async function runJob(tools: JobTools, job: Job, delivery: Delivery): Promise<JobResult> {
  const result = await run(tools, job, delivery);
  tools.metrics.runEnded(result.outcome);
  return result;
}

async function run(tools: JobTools, job: Job, delivery: Delivery): Promise<JobResult> {
  const { runs, log } = tools;
  const { clock } = delivery;
  const record = await runs.job(job);
  if (admit(job, record) !== 'run') return { outcome: 'duplicate' };

  const until = clock.now() + clock.remaining() + CLOCK_SKEW_MS;
  const answer = await runs.acquire(job, delivery.owner, until);
  if (!answer.held) {
    // A duplicate of a message whose worker lives: by the end of the lease it is done or has crashed.
    if (answer.by.jobId === jobId(job)) {
      return { outcome: 'retrying', delayMs: Math.max(0, answer.by.until - clock.now()) };
    }
    const reason = `The run ${answer.by.jobId} was still under way and delivers what this one would have.`;
    return end(
      tools,
      job,
      { ...start(job, record, record?.fence ?? 0, clock), state: 'skipped', reason },
      clock,
    );
  }
  const { lease } = answer;
  try {
    // Once more: until the lease was ours, another worker may have ended the job.
    const current = await runs.job(job);
    if (admit(job, current) !== 'run') return { outcome: 'duplicate' };
    return await runLeased(tools, job, delivery, lease, start(job, current, lease.fence, clock));
  } catch (thrown) {
    const error = toFerryError(thrown);
    log.warn('job interrupted', {
      code: error.code,
      reason: error.message,
      cause: describeCause(error),
    });
    return { outcome: 'retrying', delayMs: redelivery(delivery, error) };
  } finally {
    await runs.release(lease);
  }
}

async function runLeased(
  tools: JobTools,
  job: Job,
  delivery: Delivery,
  lease: Lease,
  record: JobRecord,
): Promise<JobResult> {
  const { runs } = tools;
  const { clock } = delivery;
  const settings = await tools.settings.read(job);
  if (!settings) {
    const reason =
      'The user or the destination was removed or switched off after the run was planned.';
    return end(tools, job, { ...record, state: 'skipped', reason }, clock);
  }
  if (!settings.ok) {
    const message = describeProblems(settings.problems);
    const errors = [{ code: 'setting-invalid' as const, message }];
    return end(tools, job, { ...record, state: 'failed', errors }, clock);
  }
  await runs.saveJob(job, record);

  const cutOff = Math.min(CUT_OFF_MS, clock.remaining() / 8);
  const signal = AbortSignal.timeout(Math.max(0, clock.remaining() - cutOff));
  const { backUp } = settings.value;
  const progress = await deliverArchives({
    ...tools,
    job,
    lease,
    clock,
    signal,
    settings: settings.value,
    isWanted: (archive) => isSelected(archive, backUp),
  }).catch((thrown: unknown): Progress => {
    const error = toFerryError(thrown);
    if (error.code === 'lease-lost') throw error;
    return { archives: 0, bytes: 0, movedBytes: 0, errors: [], interrupted: error };
  });
  const soFar: JobRecord = {
    ...record,
    archives: progress.archives,
    bytes: progress.bytes,
    errors: progress.errors,
  };
  return conclude(tools, job, delivery, lease, soFar, progress);
}

/** The record of a job that starts or goes on. */
function start(job: Job, record: JobRecord | undefined, fence: number, clock: Clock): JobRecord {
  return {
    v: 1,
    jobId: jobId(job),
    state: 'running',
    hop: job.hop,
    fence,
    startedAt: record?.startedAt ?? new Date(clock.now()).toISOString(),
    archives: record?.archives ?? 0,
    bytes: record?.bytes ?? 0,
    errors: [],
  };
}
