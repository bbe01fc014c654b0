import { REDELIVERY, waitBefore } from '../core/backoff.ts';
import { FerryError } from '../core/errors.ts';
import type { Job } from '../core/job.ts';
import type { JobRecord } from '../core/job-record.ts';
import type { Lease } from '../core/lease.ts';
import type { Progress } from './deliver-archives.ts';
import type { Clock, JobResult, Log, RunReport, Runs } from './ports.ts';

/** What ending a job needs. */
export interface EndingTools {
  readonly runs: Runs;
  readonly log: Log;
  /** Puts the next hop on the queue. */
  sendContinuation(job: Job): Promise<void>;
  /** Notes the outcome in the user's row. */
  report(userId: string, destination: string, run: RunReport): Promise<void>;
}

/** How the message reached this worker. */
export interface Delivery {
  /** Names this worker's invocation. */
  readonly owner: string;
  /** How often the queue has delivered this message, this time included. */
  readonly receiveCount: number;
  readonly maxReceiveCount: number;
  readonly clock: Clock;
}

/** A job that takes more hops than this goes round in circles: at 14 minutes each it is over 90 days. */
const MOST_HOPS = 10_000;

/**
 * Decides how an invocation ends that held the lease: the job is over, goes on in the next hop, or
 * comes back later.
 */
export async function conclude(
  tools: EndingTools,
  job: Job,
  delivery: Delivery,
  lease: Lease,
  record: JobRecord,
  progress: Progress,
): Promise<JobResult> {
  const { clock } = delivery;
  const { interrupted } = progress;
  if (interrupted === undefined) {
    const state =
      progress.errors.length > 0 ? 'failed' : record.archives > 0 ? 'succeeded' : 'skipped';
    const reason =
      state === 'skipped'
        ? 'Nothing was staged that this destination does not have yet.'
        : undefined;
    return end(tools, job, { ...record, state, reason }, clock);
  }
  if (interrupted === 'out of time' && progress.movedBytes > 0 && job.hop < MOST_HOPS) {
    await tools.runs.saveJob(job, record);
    // Released before the next hop is sent, so that it does not find the lease taken.
    await tools.runs.release(lease);
    await tools.sendContinuation({ ...job, hop: job.hop + 1 });
    return { outcome: 'continued' };
  }
  const error = interrupted === 'out of time' ? outOfTime() : interrupted;
  const { code, message } = error;
  const errors = [...record.errors, { code, message }];
  if (delivery.receiveCount < delivery.maxReceiveCount) {
    await tools.runs.saveJob(job, { ...record, errors });
    const delayMs = redelivery(delivery, error);
    tools.log.warn('job comes back later', {
      code,
      reason: message,
      cause: describeCause(error),
      delayMs,
    });
    return { outcome: 'retrying', delayMs };
  }
  await end(tools, job, { ...record, state: 'failed', errors }, clock);
  return { outcome: 'gave up' };
}

/** Closes a job: what people see first, then our own state. */
export async function end(
  tools: EndingTools,
  job: Job,
  record: JobRecord & { readonly state: 'succeeded' | 'failed' | 'skipped' },
  clock: Clock,
): Promise<JobResult> {
  const at = new Date(clock.now()).toISOString();
  const [first] = record.errors;
  const message = record.reason ?? first?.message;
  await tools.report(job.userId, job.destination, {
    slot: job.slot,
    outcome: record.state,
    at,
    message,
    code: first?.code,
  });
  await tools.runs.saveJob(job, { ...record, endedAt: at });
  const { archives, bytes, errors, reason } = record;
  tools.log.info('job ended', { outcome: record.state, archives, bytes, errors, reason });
  return { outcome: record.state };
}

/** How long the message is hidden before it is delivered again, in ms. */
export function redelivery(delivery: Delivery, error: FerryError): number {
  return waitBefore(REDELIVERY, delivery.receiveCount, Math.random(), error.retryAfterMs);
}

function outOfTime(): FerryError {
  return new FerryError(
    'timeout',
    'A whole invocation moved nothing. The destination is too slow, or does not take large files in parts.',
    { retry: 'later' },
  );
}

/** The cause's name and message; drivers keep secrets out of both. */
export function describeCause(error: FerryError): string | undefined {
  return error.cause instanceof Error ? `${error.cause.name}: ${error.cause.message}` : undefined;
}
