import { type RunReport, reportOf } from '../core/job-ending.ts';
import type { History } from './ports.ts';

/** Jobs that are looked through for the last good ones. */
const MOST_JOBS = 500;

/**
 * Puts back into a row what is known of its destinations' last runs, for whoever put the row whole and
 * with it took its status away. What a later run has told meanwhile stays.
 */
export async function recallRuns(
  { jobs, report }: History,
  userId: string,
  destinations: ReadonlySet<string>,
): Promise<void> {
  const last = new Map<string, RunReport>();
  const good = new Map<string, RunReport>();
  let seen = 0;
  for await (const { job, record } of jobs(userId)) {
    seen += 1;
    const ended = reportOf(job, record);
    const { destination } = job;
    if (ended && destinations.has(destination)) {
      if (!last.has(destination)) last.set(destination, ended);
      if (ended.outcome === 'succeeded' && !good.has(destination)) good.set(destination, ended);
    }
    if (seen === MOST_JOBS || good.size === destinations.size) break;
  }
  for (const [destination, run] of [...good, ...last]) await report(userId, destination, run);
}
