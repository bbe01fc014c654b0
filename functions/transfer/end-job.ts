import { REDELIVERY, waitBefore } from '../core/backoff.ts';
import type { Clock } from '../core/clock.ts';
import { FerryError } from '../core/errors.ts';
import { endingEvents, type FerryEvent } from '../core/event.ts';
import type { Job } from '../core/job.ts';
import { closeJob, type Ending, type RunReport } from '../core/job-ending.ts';
import type { JobRecord } from '../core/job-record.ts';
import type { Lease } from '../core/lease.ts';
import { expectedAfter } from '../core/overdue.ts';
import type { Progress } from './deliver-archives.ts';
import type { JobResult, Log, Runs } from './ports.ts';
import { isUnwanted } from './unwanted.ts';

/** What ending a job needs. */
export interface EndingTools {
  readonly runs: Runs;
  readonly log: Log;
  /** Puts the next hop on the queue, to be delivered after so many ms at the earliest. */
  sendContinuation(job: Job, delayMs: number): Promise<void>;
  /** Tells operators; resolves also where nobody could be told. */
  raise(events: readonly FerryEvent[]): Promise<void>;
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
/** Errors that a record keeps, the last ones; more would not fit into an item with every key. */
const MOST_ERRORS = 100;

/**
 * Decides how an invocation ends that held the lease: the job is over, goes on in the next hop, or
 * comes back later. One that moved something goes on, whatever stopped it: only those that moved
 * nothing use up deliveries.
 */
export async function conclude(
  tools: EndingTools,
  job: Job,
  delivery: Delivery,
  lease: Lease,
  record: JobRecord,
  progress: Progress,
): Promise<JobResult> {
  const { interrupted, movedBytes } = progress;
  if (interrupted === undefined) return end(tools, job, record, stateOf(record), delivery.clock);
  if (isUnwanted(interrupted)) {
    const { message } = interrupted;
    return end(tools, job, record, { state: 'skipped', message }, delivery.clock);
  }
  if (movedBytes > 0 && job.hop < MOST_HOPS) {
    const delayMs = interrupted === 'out of time' ? 0 : firstDelay(interrupted, delivery.clock);
    if (interrupted !== 'out of time')
      logTrouble(tools.log, 'job goes on later', interrupted, delayMs);
    const expectedBy = expectedAfter(delivery.clock.now(), delayMs);
    await tools.runs.saveJob(job, { ...record, expectedBy, sweeps: undefined });
    // Released before the next hop is sent, so that it does not find the lease taken.
    await tools.runs.release(lease);
    await tools.sendContinuation({ ...job, hop: job.hop + 1 }, delayMs);
    return { outcome: 'continued' };
  }
  const error = interrupted === 'out of time' ? outOfTime() : interrupted;
  return comeBack(tools, job, delivery, record, error);
}

/** Gives the message back to the queue; on its last delivery the job has failed. */
export async function comeBack(
  tools: EndingTools,
  job: Job,
  delivery: Delivery,
  record: JobRecord,
  error: FerryError,
): Promise<JobResult> {
  const { code, message } = error;
  const errors = [...record.errors, { code, message }].slice(-MOST_ERRORS);
  if (delivery.receiveCount >= delivery.maxReceiveCount) {
    const ending = { ...record, errors, deadLetter: true };
    await end(tools, job, ending, { state: 'failed', message }, delivery.clock);
    return { outcome: 'gave up' };
  }
  const delayMs = waitBefore(
    REDELIVERY,
    delivery.receiveCount,
    delivery.clock.random(),
    error.retryAfterMs,
  );
  logTrouble(tools.log, 'job comes back later', error, delayMs);
  const expectedBy = expectedAfter(delivery.clock.now(), delayMs);
  await tools.runs.saveJob(job, { ...record, errors, expectedBy });
  return { outcome: 'retrying', delayMs };
}

function stateOf({ archives, errors: [first] }: JobRecord): Ending {
  if (first) return { state: 'failed', message: first.message };
  if (archives > 0) return { state: 'succeeded' };
  return {
    state: 'skipped',
    message: 'Nothing was staged that this destination does not have yet.',
  };
}

/**
 * Closes a job: what people see first, then our own state, then the events. Those are raised once: a
 * worker that is killed before them has ended a job of which operators are told by the row alone.
 */
export async function end(
  tools: EndingTools,
  job: Job,
  record: JobRecord,
  ending: Ending,
  clock: Clock,
): Promise<JobResult> {
  const { state: outcome } = ending;
  const { report, record: ended } = closeJob(job, record, ending, clock.now());
  await tools.report(job.userId, job.destination, report);
  await tools.runs.saveJob(job, ended);
  const { archives, bytes, errors, reason } = ended;
  await tools.raise(endingEvents(job, report, ended));
  tools.log.info('job ended', { outcome, archives, bytes, errors, reason });
  return { outcome };
}

function firstDelay({ retryAfterMs }: FerryError, clock: Clock): number {
  return waitBefore(REDELIVERY, 1, clock.random(), retryAfterMs);
}

function outOfTime(): FerryError {
  return new FerryError(
    'timeout',
    'A whole invocation moved nothing. The destination is too slow, or does not take large files in parts.',
    { retry: 'later' },
  );
}

function logTrouble(log: Log, what: string, error: FerryError, delayMs: number): void {
  const { code, message: reason } = error;
  log.warn(what, { code, reason, error, delayMs });
}
