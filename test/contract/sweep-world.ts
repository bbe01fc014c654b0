import type { Job } from '../../functions/core/job.ts';
import type { RunReport } from '../../functions/core/job-ending.ts';
import { sweepKeys } from '../../functions/runs/keys.ts';
import { openSweepIndex } from '../../functions/runs/sweep-index.ts';
import type { SweepSummary } from '../../functions/sweep/ports.ts';
import { sweepJobs } from '../../functions/sweep/sweep.ts';
import type { EmbeddedDynamoDb } from '../servers/embedded-dynamodb.ts';
import type { World } from './job-world.ts';
import { type Death, mortal } from './mortal.ts';

/** How often the schedule lets the sweep come. */
export const SWEEP_INTERVAL_MS = 5 * 60_000;

export const NOTHING: SweepSummary = { swept: 0, givenUp: 0, left: 0 };

let sweeps = 0;

/** One sweep over the jobs of a world's user, in a process that may die on the way. */
export async function sweepOnce(
  dynamo: EmbeddedDynamoDb,
  world: World,
  death?: Death,
): Promise<{ result: SweepSummary | 'died'; steps: number }> {
  sweeps += 1;
  const process = mortal(death);
  const index = openSweepIndex(dynamo.documents, dynamo.runsTable);
  const own = {
    ...world.runs,
    ...index,
    shards: [sweepKeys(world.job, '').sweepShard],
    // The table is shared with other worlds, whose clocks say other times.
    async *overdue(shard: string, before: string) {
      for await (const page of index.overdue(shard, before)) {
        yield page.filter(({ userId }) => userId === world.userId);
      }
    },
  };
  const outbox = {
    async send(jobs: readonly Job[]) {
      world.queue.push(...jobs);
      return [];
    },
    report: async (_user: string, _destination: string, run: RunReport) =>
      void world.reports.push(run),
  };
  const { send, report } = process.wrap(outbox, 'send', 'report');
  let summary: SweepSummary = NOTHING;
  const sweep = sweepJobs(
    {
      runs: process.wrap(own, 'job', 'moveOn', 'acquire', 'saveJob', 'release'),
      queue: { send: (jobs) => (jobs.length > 0 ? send(jobs) : Promise.resolve([])) },
      report,
      raise: async (raised) => void world.events.push(...raised),
      metrics: {
        sweepEnded(ended) {
          summary = ended;
        },
      },
      log: { info() {}, warn() {} },
    },
    `sweep-${sweeps}`,
    { now: world.now, remaining: () => 120_000 },
  );
  const result = await Promise.race([sweep.then(() => 'ended' as const), process.died]);
  return { result: result === 'died' ? result : summary, steps: process.steps() };
}

/** Lets the sweep come by its schedule, and workers take what is on the queue, until the job has ended. */
export async function sweepToTheEnd(dynamo: EmbeddedDynamoDb, world: World): Promise<void> {
  for (let comes = 0; comes < 60; comes++) {
    while (world.queue.length > 0) await world.deliverMessage();
    if ((await world.runs.job(world.job))?.state !== 'running') return;
    world.passTime(SWEEP_INTERVAL_MS);
    await sweepOnce(dynamo, world);
  }
  throw new Error('The job is still running after five hours of sweeps.');
}

/** Where the sweep index has the jobs of a world's user; empty when all have ended. */
export async function expectations(dynamo: EmbeddedDynamoDb, world: World): Promise<string[]> {
  const index = openSweepIndex(dynamo.documents, dynamo.runsTable);
  const { sweepShard } = sweepKeys(world.job, '');
  const slots: string[] = [];
  for await (const page of index.overdue(sweepShard, '9999')) {
    slots.push(...page.filter(({ userId }) => userId === world.userId).map(({ slot }) => slot));
  }
  return slots;
}
