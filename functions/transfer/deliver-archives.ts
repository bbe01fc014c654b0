import type { StagedArchive } from '../core/archive.ts';
import { type FerryError, toFerryError } from '../core/errors.ts';
import { type Job, jobId } from '../core/job.ts';
import type { JobError } from '../core/job-record.ts';
import type { Lease } from '../core/lease.ts';
import type { Hashing } from '../core/running-hash.ts';
import type { Buffers } from './buffers.ts';
import type { Clock, JobSettings, Log, Runs, Source, TransferMetrics } from './ports.ts';
import { openReserve } from './reserve.ts';
import type { TransferTools } from './transfer.ts';
import { transferArchive } from './transfer-archive.ts';

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
}

/** What one invocation got done of a job. */
export interface Progress {
  /** Delivered by this job, in earlier invocations too, as the receipts say. */
  readonly archives: number;
  readonly bytes: number;
  /** Sent in this invocation, also of archives that are not whole yet. */
  readonly movedBytes: number;
  /** Permanent trouble, that no later try would mend. */
  readonly errors: readonly JobError[];
  /** Why archives are left; absent when all that could be delivered is. */
  readonly interrupted?: 'out of time' | FerryError | undefined;
}

/**
 * Delivers every wanted archive that has no receipt yet, one after the other. Trouble with one archive
 * does not keep the others back; trouble with the destination ends the round.
 */
export async function deliverArchives(tools: DeliveryTools): Promise<Progress> {
  const { lease, runs, signal, source } = tools;
  const errors: JobError[] = [];
  let archives = 0;
  let bytes = 0;
  let movedBytes = 0;
  let interrupted: Progress['interrupted'];

  const destination = await tools.settings.open();
  const reserve = openReserve(tools.clock);
  const transfer: TransferTools = { ...tools, destination, reserve };
  try {
    for await (const staged of source.list(lease.userId, signal)) {
      if (!tools.isWanted(staged)) continue;
      const deliveredBy = await runs.deliveredBy(lease, staged);
      if (deliveredBy === jobId(tools.job)) {
        archives += 1;
        bytes += staged.size;
      }
      if (deliveredBy !== undefined) continue;
      if (!reserve.mayStart()) {
        interrupted = 'out of time';
        break;
      }
      try {
        const delivered = await deliver(tools, transfer, staged);
        movedBytes += delivered.movedBytes;
        if (!delivered.whole) {
          interrupted = 'out of time';
          break;
        }
        archives += 1;
        bytes += staged.size;
      } catch (thrown) {
        const error = toFerryError(thrown);
        if (error.code === 'lease-lost') throw error;
        const { code, message } = error;
        if (error.retry === 'never') errors.push({ code, message, archive: staged.key });
        else interrupted = error;
        tools.log.warn('archive not delivered', { archive: staged.key, code, reason: message });
        if (error.scope === 'destination') break;
      }
    }
  } finally {
    await destination.close();
  }
  return { archives, bytes, movedBytes, errors, interrupted };
}

/** One archive from pin to receipt. */
async function deliver(
  tools: DeliveryTools,
  transfer: TransferTools,
  staged: StagedArchive,
): Promise<{ whole: boolean; movedBytes: number }> {
  const { clock, job, lease, runs } = tools;
  const archive = await tools.source.pin(staged, tools.signal);
  const { delivery, movedBytes } = await transferArchive(transfer, archive);
  if (!delivery) return { whole: false, movedBytes };
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
  return { whole: true, movedBytes };
}
