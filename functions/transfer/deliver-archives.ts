import type { Archive, StagedArchive } from '../core/archive.ts';
import type { Checkpoint } from '../core/checkpoint.ts';
import type { Clock } from '../core/clock.ts';
import { type FerryError, toFerryError } from '../core/errors.ts';
import { type Job, jobId } from '../core/job.ts';
import type { JobError } from '../core/job-record.ts';
import type { Lease } from '../core/lease.ts';
import type { Hashing } from '../core/running-hash.ts';
import type { Destination } from '../destinations/contract.ts';
import type { TransferTools } from './attempt.ts';
import type { Buffers } from './buffers.ts';
import { takeBack } from './checkpoint-keeper.ts';
import { assertRunFits, countDelivered, monthProblem } from './limits.ts';
import type { JobSettings, Log, Runs, Source, TransferMetrics } from './ports.ts';
import { openReserve } from './reserve.ts';
import { type Transferred, transferArchive } from './transfer-archive.ts';
import { openTwins, type Twins, twinRefused } from './twins.ts';
import { cancelled, isUnwanted, switchedOff, whyUnwanted } from './unwanted.ts';

export interface DeliveryTools {
  readonly job: Job;
  readonly lease: Lease;
  readonly settings: JobSettings;
  readonly source: Source;
  readonly runs: Runs;
  readonly hashing: Hashing;
  readonly buffers: Buffers;
  readonly metrics: TransferMetrics;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  isWanted(archive: StagedArchive): boolean;
  /** Whether the user's row still asks for this job. */
  isActive(): Promise<boolean>;
}

/** How often an invocation asks whether somebody still wants the job, in ms. */
const LOOK_EVERY_MS = 10_000;

/** What one invocation got done of a job. */
export interface Progress {
  /** Delivered by this job, in earlier invocations too, as the receipts say. */
  archives: number;
  bytes: number;
  /** Sent in this invocation, also of archives that are not whole yet. */
  movedBytes: number;
  /** Permanent trouble, that no later try would mend. */
  readonly errors: JobError[];
  /** Why archives are left; absent when all that could be delivered is. */
  interrupted?: 'out of time' | FerryError;
}

/**
 * Delivers every wanted archive that has no receipt yet, one after the other. Trouble with one archive
 * does not keep the others back; trouble with the destination ends the round.
 * @param known permanent trouble of earlier invocations; those contents are left out
 * @throws FerryError `lease-lost` when another worker has taken over
 */
export async function deliverArchives(
  tools: DeliveryTools,
  known: readonly JobError[],
): Promise<Progress> {
  const progress: Progress = { archives: 0, bytes: 0, movedBytes: 0, errors: [...known] };
  let destination: Destination | undefined;
  try {
    await assertRunFits(tools, known);
    destination = await tools.settings.open();
    const { verify } = tools.settings;
    const assertActive = async () => {
      if (await tools.runs.isCancelled(tools.job)) throw cancelled();
      if (!(await tools.isActive())) throw switchedOff();
    };
    const reserve = openReserve(tools.clock);
    const transfer = { ...tools, destination, verify, assertActive, reserve };
    await deliverAll(tools, transfer, progress);
    if (!progress.interrupted || isUnwanted(progress.interrupted)) {
      await takeBackLeftovers(transfer, progress);
    }
  } catch (thrown) {
    const error = toFerryError(thrown);
    const { code, message, retry } = error;
    if (code === 'lease-lost') throw error;
    if (tools.signal.aborted) progress.interrupted = 'out of time';
    else if (retry === 'never' && !isUnwanted(error)) progress.errors.push({ code, message });
    else progress.interrupted = error;
  } finally {
    await destination?.close();
  }
  return progress;
}

async function deliverAll(
  tools: DeliveryTools,
  transfer: TransferTools,
  progress: Progress,
): Promise<void> {
  const { job, lease, log, runs, signal, source } = tools;
  const count = ({ size }: StagedArchive) => {
    progress.archives += 1;
    progress.bytes += size;
  };
  const twins = openTwins();
  let lookedAt = Number.NEGATIVE_INFINITY;
  for await (const staged of source.list(lease.userId, signal)) {
    const { etag, key: archive } = staged;
    if (!tools.isWanted(staged)) continue;
    const twinOf = twins.meet(staged);
    if (progress.errors.some((e) => e.archive === archive && e.etag === etag)) continue;
    const deliveredBy = await runs.deliveredBy(lease, staged);
    if (deliveredBy === jobId(job)) count(staged);
    if (deliveredBy !== undefined) continue;
    if (!transfer.reserve.mayStart()) {
      progress.interrupted = 'out of time';
      return;
    }
    const noRoom = await monthProblem(tools, staged);
    if (noRoom !== undefined) {
      progress.errors.push({ code: 'policy', message: noRoom, archive });
      return;
    }
    // Small archives are done before their own transfer would look.
    if (tools.clock.now() - lookedAt >= LOOK_EVERY_MS) {
      lookedAt = tools.clock.now();
      const unwanted = await whyUnwanted(transfer.assertActive);
      if (unwanted) {
        progress.interrupted = unwanted;
        return;
      }
    }
    const { delivery, failure, movedBytes } = await deliver(tools, transfer, staged, twinOf);
    progress.movedBytes += movedBytes;
    if (delivery) count(staged);
    else if (!failure) {
      progress.interrupted = 'out of time';
      return;
    } else {
      const { code, message, retry, scope } = failure;
      log.warn('archive not delivered', { archive, code, reason: message });
      const own = scope === 'archive' ? { etag } : {};
      if (isUnwanted(failure)) progress.interrupted = failure;
      else if (retry === 'never') progress.errors.push({ code, message, archive, ...own });
      else progress.interrupted = failure;
      if (scope === 'destination') return;
    }
  }
}

/**
 * When everything staged is dealt with, a transfer that is still open is one of an archive that is not
 * staged or not wanted any more, or has its receipt: nobody will go on with it. The latter was noted by a
 * worker that was killed after the receipt, or by one that had lost the lease and went on sending.
 */
async function takeBackLeftovers(tools: TransferTools, { errors }: Progress): Promise<void> {
  for await (const left of tools.runs.checkpoints(tools.lease)) {
    const { key: archive } = left.archive;
    // What could not even be taken back a moment ago is left for the next run.
    if (errors.some((error) => error.archive === archive)) continue;
    try {
      await takeBackLeftover(tools, left);
      tools.log.info('taken back', { archive });
    } catch (thrown) {
      const { code, message: reason } = toFerryError(thrown);
      if (code === 'lease-lost') throw thrown;
      tools.log.warn('could not take back an unfinished upload', { archive, code, reason });
    }
  }
}

/** @throws FerryError when the destination cannot be asked; the checkpoint stays */
async function takeBackLeftover(tools: TransferTools, left: Checkpoint): Promise<void> {
  try {
    await takeBack(tools, left);
  } catch (thrown) {
    // What is published needs nothing of an upload that its destination does not know any more.
    const isRefused = toFerryError(thrown).retry === 'never';
    if (!isRefused || !(await tools.runs.deliveredBy(tools.lease, left.archive))) throw thrown;
    await tools.runs.removeCheckpoint(tools.lease, left.archive);
  }
}

/** One archive from pin to receipt. @param twinOf the key of another archive with the same name */
async function deliver(
  tools: DeliveryTools,
  transfer: TransferTools,
  staged: StagedArchive,
  twinOf: ReturnType<Twins['meet']>,
): Promise<Transferred> {
  const { clock, job, lease, runs } = tools;
  let transferred: Transferred;
  let archive: Archive;
  try {
    const twin = twinOf(await transfer.destination.capabilities(tools.signal));
    if (twin !== undefined) throw twinRefused(staged.key, twin);
    archive = await tools.source.pin(staged, tools.signal);
    transferred = await transferArchive(transfer, archive);
  } catch (thrown) {
    const failure = toFerryError(thrown);
    if (failure.code === 'lease-lost') throw failure;
    return { failure, movedBytes: 0 };
  }
  const { delivery } = transferred;
  if (!delivery) return transferred;
  const { digest, proof, durationMs } = delivery;
  await runs.saveReceipt(lease, {
    v: 1,
    jobId: jobId(job),
    destination: job.destination,
    archive,
    digest,
    proof,
    deliveredAt: new Date(clock.now()).toISOString(),
    durationMs,
  });
  await countDelivered(tools, archive.size);
  await runs.removeCheckpoint(lease, archive);
  const { type } = tools.settings;
  tools.metrics.archiveDelivered(type, archive.size, durationMs);
  tools.log.info('delivered', {
    type,
    archive: archive.key,
    bytes: archive.size,
    sha256: digest.sha256,
    durationMs,
    verified: proof.verified,
    how: proof.how,
    remotePath: proof.remotePath,
  });
  return transferred;
}
