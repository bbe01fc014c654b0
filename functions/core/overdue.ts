import type { JobRecord } from './job-record.ts';
import { CLOCK_SKEW_MS } from './lease.ts';

const MINUTE = 60_000;

/**
 * How long a message may stay on the queue beyond the delay it was sent or given back with, in ms,
 * before its job is taken for lost: a worker is there within seconds, unless all are busy. A message
 * that is only late and gets a twin costs nothing but the twin, so this is short.
 */
const QUEUE_PATIENCE_MS = 30 * MINUTE;
/** SQS hides no message for longer, whatever a server has asked for. */
const LONGEST_DELAY_MS = 12 * 60 * MINUTE;

/** How often a job that gets no further is put on the queue again before it has failed. */
export const MOST_SWEEPS = 5;

/** When a message that is delivered after `delayMs` has found its worker at the latest, ISO 8601 UTC. */
export function expectedAfter(now: number, delayMs: number): string {
  return instant(now + Math.min(delayMs, LONGEST_DELAY_MS) + QUEUE_PATIENCE_MS);
}

/** Until when the worker that holds a lease lives at the latest, ISO 8601 UTC. */
export function expectedUntil({ until }: { readonly until: number }): string {
  return instant(until);
}

/** What is expected before this instant (ISO 8601 UTC) and has not come is lost, whichever clock is right. */
export function overdueBefore(now: number): string {
  return instant(now - CLOCK_SKEW_MS);
}

/** Whether nobody has carried a job on that should have been by now. */
export function isOverdue({ state, expectedBy }: JobRecord, now: number): boolean {
  return state === 'running' && expectedBy !== undefined && expectedBy < overdueBefore(now);
}

/**
 * The record of a job that was put on the queue again. For the message of the first sweep Ferry waits
 * an hour, then twice as long each time: a queue that stands still for a day fails no job. A worker
 * that takes the message and is lost, too, is missed at the end of its lease all the same.
 */
export function sweptRecord(record: JobRecord, now: number) {
  const sweeps = (record.sweeps ?? 0) + 1;
  return { ...record, sweeps, expectedBy: instant(now + QUEUE_PATIENCE_MS * 2 ** sweeps) };
}

/** As text of one length, so that text order is time order. */
function instant(ms: number): string {
  return new Date(ms).toISOString();
}
