import type { Archive, StagedArchive } from '../core/archive.ts';
import type { Clock } from '../core/clock.ts';
import { toFerryError } from '../core/errors.ts';
import { type Job, jobId } from '../core/job.ts';
import type { Lease } from '../core/lease.ts';
import type { Hashing } from '../core/running-hash.ts';
import type { TransferTools } from './attempt.ts';
import type { Buffers } from './buffers.ts';
import { countDelivered } from './limits.ts';
import type { JobSettings, Log, Runs, Source, TransferMetrics } from './ports.ts';
import { type Transferred, transferArchive } from './transfer-archive.ts';
import { type Twins, twinRefused } from './twins.ts';

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

/**
 * One archive from pin to receipt.
 * @param twinOf the key of another archive with the same name
 * @throws FerryError `lease-lost` when another worker has taken over
 */
export async function deliverArchive(
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
