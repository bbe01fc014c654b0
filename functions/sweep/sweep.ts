import type { Clock } from '../core/clock.ts';
import { overdueBefore } from '../core/overdue.ts';
import type { SweepTools } from './ports.ts';
import { type Sweep, sweepPage } from './sweep-page.ts';

/** Shards that are worked on at once. */
const SHARDS_AT_ONCE = 4;
/** Pages of one shard that one sweep looks at: after a great breakdown the queue fills by and by. */
const MOST_PAGES = 20;
/** No page is begun when less time is left: being killed in one would only send its jobs once more. */
const RESERVE_MS = 15_000;

/**
 * One sweep: puts every job on the queue again that nobody carries on, because its worker was killed
 * or its message is gone, and ends as failed what was lost again and again.
 *
 * Order of effects: jobs sent → each moved on in the index, if nobody has written its record meanwhile.
 * A crash in between sends the same jobs again, which is harmless: a message of a hop that is over, of
 * a job that is done or under way is dropped by the worker that gets it.
 * @param invocation names this invocation
 * @throws what kept a shard from being read, after the others were worked on
 */
export async function sweepJobs(
  tools: SweepTools,
  invocation: string,
  clock: Pick<Clock, 'now' | 'remaining'>,
): Promise<void> {
  const sweep: Sweep = { invocation, clock, summary: { swept: 0, givenUp: 0, left: 0 } };
  const failures: unknown[] = [];
  const shards = tools.runs.shards.values();
  const work = async () => {
    for (const shard of shards) {
      await sweepShard(tools, sweep, shard).catch((error: unknown) => failures.push(error));
    }
  };
  await Promise.all(Array.from({ length: SHARDS_AT_ONCE }, work));
  tools.metrics.sweepEnded(sweep.summary);
  if (failures.length > 0) throw failures[0];
}

async function sweepShard(tools: SweepTools, sweep: Sweep, shard: string): Promise<void> {
  let pages = 0;
  for await (const page of tools.runs.overdue(shard, overdueBefore(sweep.clock.now()))) {
    if (pages >= MOST_PAGES || sweep.clock.remaining() < RESERVE_MS) {
      tools.log.warn('too many lost jobs for one sweep: the next one goes on', { shard });
      return;
    }
    await sweepPage(tools, sweep, page);
    pages += 1;
  }
}
