import type { StagedArchive } from '../core/archive.ts';
import { type FerryError, toFerryError } from '../core/errors.ts';
import { jobId } from '../core/job.ts';
import type { JobError } from '../core/job-record.ts';
import type { Destination } from '../destinations/contract.ts';
import type { TransferTools } from './attempt.ts';
import { type DeliveryTools, deliverArchive } from './deliver-archive.ts';
import { type Lanes, openLanes } from './lanes.ts';
import { takeBackLeftovers } from './leftovers.ts';
import { assertRunFits, monthProblem } from './limits.ts';
import { openReserve } from './reserve.ts';
import type { Transferred } from './transfer-archive.ts';
import { openTwins, type Twins } from './twins.ts';
import { cancelled, isUnwanted, switchedOff, whyUnwanted } from './unwanted.ts';

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
  /** Whether the destination is of no use any more in this round. */
  isOver?: boolean;
}

/**
 * Delivers every wanted archive that has no receipt yet. Trouble with one archive does not keep the
 * others back; trouble with the destination ends the round.
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
      await takeBackLeftovers(transfer, progress.errors);
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

/**
 * Large archives go one after the other, each as fast as line and destination allow; those of one part,
 * which mostly wait for answers, go beside each other.
 */
async function deliverAll(
  tools: DeliveryTools,
  transfer: TransferTools,
  progress: Progress,
): Promise<void> {
  const lanes = openLanes(transfer);
  try {
    for await (const { staged, twinOf } of findWanted(tools, transfer, progress, lanes)) {
      const isBegun = await lanes.begin(staged, async (buffers) => {
        if (progress.isOver) return;
        note(
          tools,
          progress,
          staged,
          await deliverArchive(tools, { ...transfer, buffers }, staged, twinOf),
        );
      });
      if (isBegun || progress.isOver) continue;
      note(tools, progress, staged, await deliverArchive(tools, transfer, staged, twinOf));
    }
  } finally {
    await lanes.drained();
  }
}

/** An archive that is to be delivered. */
interface Wanted {
  readonly staged: StagedArchive;
  readonly twinOf: ReturnType<Twins['meet']>;
}

/** What is staged, wanted and not there yet, as long as the round goes on. Counts what is there. */
async function* findWanted(
  tools: DeliveryTools,
  transfer: TransferTools,
  progress: Progress,
  lanes: Lanes,
): AsyncGenerator<Wanted> {
  const { job, lease, runs, signal, source } = tools;
  const twins = openTwins();
  let lookedAt = Number.NEGATIVE_INFINITY;
  for await (const staged of source.list(lease.userId, signal)) {
    if (progress.isOver) return;
    const { etag, key: archive } = staged;
    if (!tools.isWanted(staged)) continue;
    const twinOf = twins.meet(staged);
    if (progress.errors.some((e) => e.archive === archive && e.etag === etag)) continue;
    const deliveredBy = await runs.deliveredBy(lease, staged);
    if (deliveredBy === jobId(job)) count(progress, staged);
    if (deliveredBy !== undefined) continue;
    if (!transfer.reserve.mayStart()) {
      progress.interrupted = 'out of time';
      return;
    }
    let noRoom = await monthProblem(tools, staged, lanes.bytes);
    if (noRoom !== undefined && lanes.bytes > 0) {
      // What is under way may fail, and leave room.
      await lanes.drained();
      noRoom = await monthProblem(tools, staged, lanes.bytes);
    }
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
    yield { staged, twinOf };
  }
}

/** Notes what became of one archive. */
function note(
  { log }: DeliveryTools,
  progress: Progress,
  staged: StagedArchive,
  { delivery, failure, movedBytes }: Transferred,
): void {
  progress.movedBytes += movedBytes;
  if (delivery) count(progress, staged);
  else if (!failure) {
    progress.interrupted = 'out of time';
    progress.isOver = true;
  } else {
    const { code, message, retry, scope } = failure;
    const { etag, key: archive } = staged;
    log.warn('archive not delivered', { archive, code, reason: message });
    const own = scope === 'archive' ? { etag } : {};
    if (isUnwanted(failure)) progress.interrupted = failure;
    else if (retry === 'never') progress.errors.push({ code, message, archive, ...own });
    else progress.interrupted = failure;
    if (scope === 'destination') progress.isOver = true;
  }
}

function count(progress: Progress, { size }: StagedArchive): void {
  progress.archives += 1;
  progress.bytes += size;
}
