import { z } from 'zod';
import { type JobName, jobId } from '../../functions/core/job.ts';
import { readSlot, writeSlot } from '../../functions/core/slot.ts';
import { openJobQueue } from '../../functions/queue/job-queue.ts';
import { openHistory } from '../../functions/runs/history.ts';
import { openRunsTable } from '../../functions/runs/runs-table.ts';
import { defineCommand } from '../command.ts';
import { EXIT, misuse, notFound } from '../failure.ts';
import type { Ferry } from '../ferry.ts';
import { followJobs } from '../follow.ts';
import { destination, userId } from '../given.ts';
import { assertThere, destinationNames, readUser } from '../users.ts';

/** Runs under way are among so many newest ones, or have the destination's lease. */
const LOOKED_AT = 200;
/** A worker looks every ten seconds, or when a part is done; in ms. */
const PATIENCE_MS = 60_000;

export const cancel = defineCommand({
  name: 'cancel',
  summary: 'stops the runs of a user that are under way',
  about: `A worker sees it within ten seconds, or when the part under way is done. What it was sending is taken
back, what it had delivered stays, and the run ends as skipped. The next run is not touched: to stop
those, too, use "ferry user disable".`,
  arguments: { '<id>': 'the user', '[destination]': 'one destination; all without it' },
  options: { '--slot <instant>': 'one run alone, also one that no worker has begun yet' },
  examples: ['ferry cancel alice', 'ferry cancel alice nas'],
  given: z.object({
    id: userId,
    destination: destination.optional(),
    slot: z.string().optional(),
  }),
  async run({ id, destination: only, slot }, { ferry, say }) {
    const open = await ferry();
    const jobs =
      slot === undefined
        ? await jobsUnderWay(open, id, only)
        : await jobsOfSlot(open, id, only, slot);
    if (jobs.length === 0) await assertThere(open, id, only);
    if (jobs.length === 0)
      throw notFound(`No run of "${id}" is under way${only === undefined ? '' : ` to "${only}"`}.`);
    const runs = openRunsTable(open.documents, open.outputs.RunsTable);
    for (const job of jobs) await runs.cancel(job);
    await wakeWaiting(open, jobs);
    const ended = await followJobs(open, jobs, say, PATIENCE_MS);
    const result = ended.map(({ job, record }) => ({
      ...job,
      state: record?.state ?? 'not begun',
      reason: record?.reason,
    }));
    const left = result.filter(({ state }) => state === 'running');
    for (const { destination: name } of left)
      say(`${name}: marked; its worker has not seen it yet.`);
    return { result, status: EXIT.done };
  },
});

async function jobsUnderWay(
  { documents, outputs }: Ferry,
  id: string,
  only: string | undefined,
): Promise<readonly JobName[]> {
  const history = openHistory(documents, outputs.RunsTable);
  const runs = openRunsTable(documents, outputs.RunsTable);
  const found = new Map<string, JobName>();
  for await (const { job } of history.holders(id)) {
    if ((await runs.job(job))?.state === 'running') found.set(jobId(job), job);
  }
  let looked = 0;
  for await (const { job, record } of history.jobs(id)) {
    if (record.state === 'running') found.set(jobId(job), job);
    looked += 1;
    if (looked === LOOKED_AT) break;
  }
  return [...found.values()].filter((job) => only === undefined || job.destination === only);
}

async function jobsOfSlot(
  ferry: Ferry,
  id: string,
  only: string | undefined,
  text: string,
): Promise<readonly JobName[]> {
  const instant = readSlot(text);
  if (!instant)
    throw misuse('--slot takes an instant as "ferry runs" shows it: 2026-11-23T03:00:00Z.');
  const slot = writeSlot(instant);
  if (only === undefined) {
    const names = destinationNames((await readUser(ferry, id)).spec);
    return names.map((name) => ({ userId: id, slot, destination: name }));
  }
  const job = { userId: id, slot, destination: only };
  const { documents, outputs } = ferry;
  if (!(await openRunsTable(documents, outputs.RunsTable).job(job)))
    await assertThere(ferry, id, only);
  return [job];
}

/** Jobs that wait for another try, for up to an hour, are put on the queue to end now. */
async function wakeWaiting(ferry: Ferry, jobs: readonly JobName[]): Promise<void> {
  const { documents, outputs, sqs } = ferry;
  const [first] = jobs;
  if (!first) return;
  const held = new Set<string>();
  for await (const { job, until } of openHistory(documents, outputs.RunsTable).holders(
    first.userId,
  )) {
    if (until > Date.now()) held.add(jobId(job));
  }
  const runs = openRunsTable(documents, outputs.RunsTable);
  const waiting = [];
  for (const job of jobs) {
    const record = await runs.job(job);
    if (record?.state === 'running' && !held.has(jobId(job)))
      waiting.push({ ...job, hop: record.hop });
  }
  // Where the queue does not take one, its own message comes in time.
  await openJobQueue(sqs, outputs.JobQueueUrl).send(waiting);
}
