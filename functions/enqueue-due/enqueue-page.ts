import type { Temporal } from 'temporal-polyfill';
import type { Clock } from '../core/clock.ts';
import type { Job } from '../core/job.ts';
import { planNext, type Spread } from '../core/plan.ts';
import { describeProblems } from '../core/problem.ts';
import { readSlot, writeSlot } from '../core/slot.ts';
import { activeDestinations, type Due, type User } from '../core/user.ts';
import type { DueRows, DueUser, EnqueueMetrics, JobSender, Log } from './ports.ts';

export interface EnqueueTools {
  readonly rows: DueRows;
  readonly queue: JobSender;
  readonly spread: Spread;
  readonly metrics: EnqueueMetrics;
  readonly log: Log;
}

/** What a tick needs to know of time. */
export type TickClock = Pick<Clock, 'now' | 'remaining'>;

export interface Tick {
  readonly now: Temporal.Instant;
  readonly clock: TickClock;
  /** Counts up while the tick goes on. */
  readonly summary: { jobs: number; invalidRows: number; usersLeft: number; lagSeconds: number };
}

/** A user who is to run now. */
interface Run {
  readonly user: User<unknown>;
  readonly due: Due;
  readonly jobs: readonly Job[];
}

/** Handles one page of the due index. Trouble with one user is logged, and leaves that user due. */
export async function enqueuePage(
  tools: EnqueueTools,
  tick: Tick,
  page: readonly DueUser[],
): Promise<void> {
  const { log, queue } = tools;
  const looked = await Promise.all(
    page.map(({ userId }) => attempt(tools, tick, userId, () => prepareRun(tools, tick, userId))),
  );
  const runs = looked.filter((run) => run !== undefined);
  const jobs = runs.flatMap((run) => run.jobs);
  const unsent = await queue.send(jobs);
  for (const { job, code, message } of unsent) {
    const { userId, slot, destination } = job;
    log.warn('job not enqueued: the next tick tries again', {
      userId,
      slot,
      destination,
      code,
      reason: message,
    });
  }
  tick.summary.jobs += jobs.length - unsent.length;
  const stay = new Set(unsent.map(({ job }) => job.userId));
  tick.summary.usersLeft += stay.size;
  await Promise.all(
    runs
      .filter(({ user }) => !stay.has(user.id))
      .map((run) => attempt(tools, tick, run.user.id, () => moveOn(tools, tick, run))),
  );
}

/**
 * Reads a row afresh. Undefined where nothing is to run: the index was behind, or the row is invalid
 * or paused and now out of the index. Settings of destinations are not looked at here: that costs
 * time which users decide about, and a tick is everybody's.
 */
async function prepareRun(
  tools: EnqueueTools,
  tick: Tick,
  userId: string,
): Promise<Run | undefined> {
  const row = await tools.rows.read(userId);
  const slot = row?.due && readSlot(row.due.at);
  if (!row?.due || !slot || slot.epochMilliseconds > tick.now.epochMilliseconds) return undefined;
  const { due, user } = row;
  const problems = user.ok ? [] : user.problems;
  const names = user.ok ? activeDestinations(user.value) : [];
  if (user.ok && names.length > 0) {
    const planned = writeSlot(slot);
    const jobs = names.map((destination) => ({ userId, slot: planned, destination, hop: 0 }));
    return { user: user.value, due, jobs };
  }
  await tools.rows.save(userId, due, problems.length > 0 ? { problems } : {});
  if (problems.length > 0) {
    tick.summary.invalidRows += 1;
    tools.log.warn('settings refused', { userId, reason: describeProblems(problems) });
  }
  return undefined;
}

async function moveOn(tools: EnqueueTools, tick: Tick, run: Run): Promise<void> {
  const { user, due, jobs } = run;
  const { clock, now, summary } = tick;
  const next = planNext(user, now, tools.spread);
  await tools.rows.save(user.id, due, { due: next });
  const lagSeconds = (clock.now() - Date.parse(due.at)) / 1000;
  summary.lagSeconds = Math.max(summary.lagSeconds, lagSeconds);
  const destinations = jobs.map(({ destination }) => destination);
  tools.log.info('enqueued', { userId: user.id, slot: due.at, destinations, nextRun: next?.at });
}

/** Does what concerns one user; should it fail, that user alone is left for the next tick, and counted. */
async function attempt<T>(
  { log }: EnqueueTools,
  { summary }: Tick,
  userId: string,
  work: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    summary.usersLeft += 1;
    log.warn('user left for the next tick', { userId, error });
    return undefined;
  }
}
