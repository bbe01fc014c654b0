import { isSelected, type StagedArchive } from '../core/archive.ts';
import { toFerryError } from '../core/errors.ts';
import { type Job, type JobName, jobId, readJobId } from '../core/job.ts';
import { admit, type JobRecord, startRecord } from '../core/job-record.ts';
import { CLOCK_SKEW_MS } from '../core/lease.ts';
import { expectedUntil } from '../core/overdue.ts';
import { isPolicyAlone } from '../core/policy.ts';
import { describeProblems } from '../core/problem.ts';
import type { Hashing } from '../core/running-hash.ts';
import type { Buffers } from './buffers.ts';
import { deliverArchives } from './deliver-archives.ts';
import { comeBack, conclude, type Delivery, type EndingTools, end } from './end-job.ts';
import type {
  JobResult,
  Runs,
  SettingsReader,
  Source,
  Standing,
  TransferMetrics,
} from './ports.ts';
import { waitForTurn } from './turn.ts';

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
 * Order of effects: lease → job record → settings kept → archives, each proven and with its receipt →
 * the user's row → job record → lease given back → (continuation sent) → message acknowledged by the
 * caller. A crash anywhere lets the message come back, and what has a receipt is not sent again.
 */
export async function runJob(tools: JobTools, job: Job, delivery: Delivery): Promise<JobResult> {
  let outcome: JobResult['outcome'] = 'retrying';
  try {
    const result = await run(tools, job, delivery);
    outcome = result.outcome;
    return result;
  } finally {
    tools.metrics.runEnded(outcome);
  }
}

async function run(tools: JobTools, job: Job, delivery: Delivery): Promise<JobResult> {
  const { runs, log } = tools;
  const { clock } = delivery;
  const record = await runs.job(job);
  if (admit(job, record) !== 'run') return { outcome: 'duplicate' };

  const until = clock.now() + clock.remaining() + CLOCK_SKEW_MS;
  const answer = await runs.acquire(job, delivery.owner, until);
  if (!answer.held) {
    const holder = readJobId(answer.by.jobId);
    const mayWait = delivery.receiveCount < delivery.maxReceiveCount;
    // A duplicate of a message whose worker lives: by the end of the lease it is done or has crashed.
    // Or a lease that was not given back: whose run has ended delivers nothing any more.
    if (jobId(holder) === jobId(job) || (mayWait && (await hasEnded(runs, holder)))) {
      return { outcome: 'retrying', delayMs: Math.max(0, answer.by.until - clock.now()) };
    }
    const message = `The run ${answer.by.jobId} was still under way and delivers what this one would have.`;
    const skipped = startRecord(job, record, record?.fence ?? 0, clock.now());
    return end(tools, job, skipped, { state: 'skipped', message }, clock);
  }
  const { lease } = answer;
  try {
    // Once more: until the lease was ours, another worker may have ended the job.
    const current = await runs.job(job);
    if (admit(job, current) !== 'run') return { outcome: 'duplicate' };
    const started = {
      ...startRecord(job, current, lease.fence, clock.now()),
      expectedBy: expectedUntil(lease),
    };
    const standing = { lease, goesOn: current?.state === 'running' };
    return await runLeased(tools, job, delivery, standing, started);
  } finally {
    // A lease that is not given back ends by itself; what was decided stands all the same.
    await runs
      .release(lease)
      .catch((error: unknown) => log.warn('lease not given back', { error }));
  }
}

async function hasEnded(runs: Runs, job: JobName): Promise<boolean> {
  const record = await runs.job(job);
  return record !== undefined && record.state !== 'running';
}

async function runLeased(
  tools: JobTools,
  job: Job,
  delivery: Delivery,
  standing: Standing,
  record: JobRecord,
): Promise<JobResult> {
  const { runs } = tools;
  const { lease } = standing;
  const { clock } = delivery;
  try {
    // Before anything else, so that this worker is missed should it be lost.
    await runs.saveJob(job, record);
    const settings = await tools.settings.read(job, standing);
    if (!settings) {
      const message =
        'The user or the destination was removed or switched off after the run was planned.';
      return await end(tools, job, record, { state: 'skipped', message }, clock);
    }
    if (!settings.ok) {
      const message = describeProblems(settings.problems);
      const code = isPolicyAlone(settings.problems) ? 'policy' : 'setting-invalid';
      const refused = { ...record, errors: [{ code, message }] } as const;
      return await end(tools, job, refused, { state: 'failed', message }, clock);
    }

    const { policy } = settings.value;
    const waiting = await waitForTurn(tools, policy, job, delivery, lease, record);
    if (waiting) return waiting;

    const cutOff = Math.min(CUT_OFF_MS, clock.remaining() / 8);
    const signal = clock.deadline(Math.max(0, clock.remaining() - cutOff));
    const { backUp } = settings.value;
    const isWanted = (archive: StagedArchive) => isSelected(archive, backUp);
    const isActive = () => tools.settings.isActive(job);
    const shared = { ...tools, job, lease, clock, signal, settings: settings.value };
    const delivering = { ...shared, isWanted, isActive };
    const progress = await deliverArchives(delivering, record.errors);
    const { archives, bytes, errors } = progress;
    const soFar = { ...record, archives, bytes, errors };
    return await conclude(tools, job, delivery, lease, soFar, progress);
  } catch (thrown) {
    const error = toFerryError(thrown);
    // Whoever has the lease now carries the job on; this message looks again once that is under way.
    if (error.code === 'lease-lost') return { outcome: 'retrying', delayMs: CLOCK_SKEW_MS };
    return comeBack(tools, job, delivery, record, error);
  }
}
