import type { Clock } from '../core/clock.ts';
import { type JobName, jobId } from '../core/job.ts';
import type { JobRecord } from '../core/job-record.ts';
import { isOverdue, MOST_SWEEPS, sweptRecord } from '../core/overdue.ts';
import { giveUp } from './give-up.ts';
import type { SweepTools } from './ports.ts';

export interface Sweep {
  /** Names this invocation. */
  readonly invocation: string;
  readonly clock: Pick<Clock, 'now' | 'remaining'>;
  /** Counts up while the sweep goes on. */
  readonly summary: { swept: number; givenUp: number; left: number };
}

/** A job that nobody carries on. */
interface Lost {
  readonly job: JobName;
  readonly record: JobRecord;
}

/** Handles one page of overdue jobs. Trouble with one is logged, and leaves it for the next sweep. */
export async function sweepPage(
  tools: SweepTools,
  sweep: Sweep,
  page: readonly JobName[],
): Promise<void> {
  const looked = await Promise.all(
    page.map((job) => attempt(tools, sweep, job, () => look(tools, sweep, job))),
  );
  const lost = looked.filter((found) => found !== undefined);
  const isHopeless = ({ record }: Lost) => (record.sweeps ?? 0) >= MOST_SWEEPS;
  await sendAgain(
    tools,
    sweep,
    lost.filter((each) => !isHopeless(each)),
  );
  await Promise.all(
    lost.filter(isHopeless).map(({ job }) =>
      attempt(tools, sweep, job, async () => {
        if (await giveUp(tools, sweep, job)) sweep.summary.givenUp += 1;
      }),
    ),
  );
}

/** Reads a record afresh; undefined where the index was behind and somebody carries the job on. */
async function look(
  { runs }: SweepTools,
  { clock }: Sweep,
  job: JobName,
): Promise<Lost | undefined> {
  const record = await runs.job(job);
  return record && isOverdue(record, clock.now()) ? { job, record } : undefined;
}

async function sendAgain(tools: SweepTools, sweep: Sweep, lost: readonly Lost[]): Promise<void> {
  const unsent = await tools.queue.send(
    lost.map(({ job, record }) => ({ ...job, hop: record.hop })),
  );
  for (const { job, code, message } of unsent) {
    sweep.summary.left += 1;
    tools.log.warn('lost job not sent: the next sweep tries again', {
      ...named(job),
      code,
      reason: message,
    });
  }
  const stay = new Set(unsent.map(({ job }) => jobId(job)));
  const sent = lost.filter(({ job }) => !stay.has(jobId(job)));
  await Promise.all(sent.map((each) => attempt(tools, sweep, each.job, () => moveOn(each))));

  async function moveOn({ job, record }: Lost): Promise<void> {
    const swept = sweptRecord(record, sweep.clock.now());
    const { hop, sweeps } = swept;
    sweep.summary.swept += 1;
    tools.log.warn('lost job sent again', { ...named(job), hop, sweeps });
    // Where this is too late, somebody has the job, and the message is one too many.
    await tools.runs.moveOn(job, record, swept);
  }
}

/** Does what concerns one job; should it fail, that job alone is left for the next sweep, and counted. */
async function attempt<T>(
  { log }: SweepTools,
  { summary }: Sweep,
  job: JobName,
  work: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    summary.left += 1;
    log.warn('lost job left for the next sweep', { ...named(job), error });
    return undefined;
  }
}

/** The fields by which log lines of one job are found. */
function named(job: JobName) {
  const { userId, destination } = job;
  return { jobId: jobId(job), userId, destination };
}
