import { setTimeout as wait } from 'node:timers/promises';
import type { JobName } from '../functions/core/job.ts';
import type { JobRecord } from '../functions/core/job-record.ts';
import { openRunsTable } from '../functions/runs/runs-table.ts';
import type { Work } from './command.ts';
import type { Ferry } from './ferry.ts';
import { type Progress, showProgress } from './progress.ts';
import { formatBytes } from './tables.ts';

const LOOK_EVERY_MS = 1_000;

/** A job as it stands when nobody waits for it any more; no record where no worker had it yet. */
export interface FollowedJob {
  readonly job: JobName;
  readonly record: JobRecord | undefined;
}

/**
 * Waits until jobs have ended, and shows how far they are.
 * @param patienceMs after which they are left as they are
 */
export async function followJobs(
  ferry: Ferry,
  jobs: readonly JobName[],
  say: Work['say'],
  patienceMs = Number.POSITIVE_INFINITY,
): Promise<readonly FollowedJob[]> {
  const until = Date.now() + patienceMs;
  using progress = showProgress();
  return await Promise.all(jobs.map((job) => followJob(ferry, job, say, progress, until)));
}

async function followJob(
  ferry: Ferry,
  job: JobName,
  say: Work['say'],
  progress: Progress,
  until: number,
): Promise<FollowedJob> {
  const runs = openRunsTable(ferry.documents, ferry.outputs.RunsTable);
  for (;;) {
    const record = await runs.job(job);
    if (record && record.state !== 'running') {
      say(describeEnd(job, record));
      return { job, record };
    }
    if (Date.now() > until) return { job, record };
    if (!record) progress.tell(`${job.destination}: waits for a worker`);
    else progress.tell(await describeUnderWay(runs, job, record));
    await wait(LOOK_EVERY_MS);
  }
}

async function describeUnderWay(
  runs: ReturnType<typeof openRunsTable>,
  job: JobName,
  { archives, errors }: JobRecord,
): Promise<string> {
  const parts = [`${job.destination}: ${archives} delivered`];
  for await (const { archive, digest, partSize, prefix, readBack } of runs.checkpoints(job)) {
    const sent = Math.min(archive.size, prefix.parts * partSize);
    const name = `${archive.component}/${archive.file}`;
    if (readBack) parts.push(`${name} is read back, ${share(readBack.bytes, archive.size)}`);
    else parts.push(digest ? `${name} is sent` : `${name} ${share(sent, archive.size)}`);
  }
  const trouble = errors.at(-1);
  if (trouble) parts.push(`trouble: ${trouble.message}`);
  return parts.join(', ');
}

function share(bytes: number, of: number): string {
  const percent = of === 0 ? 100 : Math.floor((100 * bytes) / of);
  return `${percent} % of ${formatBytes(of)}`;
}

function describeEnd({ destination }: JobName, record: JobRecord): string {
  const { archives, bytes, errors, reason, state } = record;
  const delivered = `${archives} archive${archives === 1 ? '' : 's'}, ${formatBytes(bytes)}`;
  const lines = [`${destination}: ${state}${archives > 0 ? `, ${delivered}` : ''}`];
  if (reason !== undefined) lines.push(`  ${reason}`);
  if (state === 'failed') {
    for (const { archive, message } of errors) {
      lines.push(`  ${archive === undefined ? '' : `${archive}: `}${message}`);
    }
  }
  return lines.join('\n');
}
