import { type Archive, remotePath, transferId } from '../core/archive.ts';
import type { Checkpoint, ReadBack } from '../core/checkpoint.ts';
import { toFerryError } from '../core/errors.ts';
import type { Lease } from '../core/lease.ts';
import { EMPTY_PREFIX, type Prefix } from '../core/ledger.ts';
import type { PartPlan } from '../core/parts.ts';
import type { Digest } from '../core/receipt.ts';
import type { Destination, RemoteFile, Upload } from '../destinations/contract.ts';
import type { Runs } from './ports.ts';

/**
 * The checkpoint of one archive under way. A save that waits for the destination and is overtaken by a
 * later call writes nothing any more: somebody has given it up, and its state is old.
 */
export interface CheckpointKeeper {
  /**
   * What is saved of this very content. Where nothing is, notes that the transfer begins: before the
   * destination hears of it, so that a process which ends in between leaves no secret. A checkpoint of
   * an older content of the same archive is of no use any more: what it stands for is taken back at the
   * destination.
   */
  open(beginning: History): Promise<Checkpoint | undefined>;
  /**
   * Saves what has arrived so far. Where the driver says that nothing would survive, of an archive of
   * several parts what is behind it is noted. The driver's state is taken after `prefix` and may cover
   * more parts, never fewer.
   */
  save(upload: Upload, prefix: Prefix, history: History, digest?: Digest): Promise<void>;
  /** Saves how far the published file has been read back; nothing else of it is needed any more. */
  saveReadBack(readBack: ReadBack, history: History, digest: Digest): Promise<void>;
  /** Notes that the transfer begins anew: no chain of invocations does so for ever. */
  saveBeginning(history: History): Promise<void>;
  remove(): Promise<void>;
}

/** What a transfer has behind it. */
export interface History {
  /** When the first byte was read, epoch ms. */
  readonly startedAt: number;
  readonly restarts: number;
}

export interface KeeperTools {
  readonly lease: Lease;
  readonly destination: Destination;
  readonly runs: Runs;
  readonly signal: AbortSignal;
}

export function keepCheckpoint(
  tools: KeeperTools,
  archive: Archive,
  plan: PartPlan,
): CheckpointKeeper {
  const { lease, runs } = tools;
  let calls = 0;

  const write = (checkpoint: Checkpoint) => {
    calls += 1;
    return runs.saveCheckpoint(lease, checkpoint);
  };

  const beginningOf = (history: History): Checkpoint => {
    const { partSize } = plan;
    return { v: 1, archive, partSize, prefix: EMPTY_PREFIX, ...history };
  };

  return {
    async open(history) {
      calls += 1;
      const beginning = beginningOf(history);
      const saved = await runs.beginCheckpoint(lease, beginning);
      if (!saved) return undefined;
      const sameContent =
        saved.archive.etag === archive.etag && saved.archive.size === archive.size;
      if (sameContent && saved.partSize === plan.partSize) return saved;
      await takeBack(tools, saved);
      await write(beginning);
      return undefined;
    },
    async save(upload, prefix, history, digest) {
      calls += 1;
      const call = calls;
      const state = await upload.checkpoint();
      if (call !== calls || (state === undefined && plan.count <= 1)) return;
      const { partSize } = plan;
      await write({ v: 1, archive, partSize, prefix, digest, upload: state, ...history });
    },
    async saveReadBack(readBack, history, digest) {
      const { partSize } = plan;
      const prefix = EMPTY_PREFIX;
      await write({ v: 1, archive, partSize, prefix, digest, readBack, ...history });
    },
    saveBeginning: (history) => write(beginningOf(history)),
    remove() {
      calls += 1;
      return runs.removeCheckpoint(lease, archive);
    },
  };
}

/**
 * Takes back what a checkpoint stands for, an unfinished upload of ours, and then the checkpoint.
 * @throws FerryError when the destination cannot be asked; the checkpoint stays
 */
export async function takeBack(tools: KeeperTools, saved: Checkpoint): Promise<void> {
  const { lease, runs } = tools;
  // What is being read back is published, and nothing of ours is left beside it.
  if (saved.readBack === undefined) await (await openLeft(tools, saved)).abort();
  await runs.removeCheckpoint(lease, saved.archive);
}

/**
 * The unfinished upload that a checkpoint stands for. Where that cannot be gone on with, the same one
 * begun anew: whatever was left without a word has the same place.
 */
async function openLeft(tools: KeeperTools, saved: Checkpoint): Promise<Upload> {
  const { destination, lease, signal } = tools;
  const { size } = saved.archive;
  const { partSize } = saved;
  const plan = { size, partSize, count: Math.ceil(size / partSize) };
  const file = remoteFile(lease, saved.archive);
  if (saved.upload !== undefined) {
    try {
      return await destination.resume(file, plan, saved.upload, signal);
    } catch (error) {
      if (toFerryError(error).code !== 'upload-lost') throw error;
    }
  }
  return destination.begin(file, plan, signal);
}

/** An archive as its destination knows it. */
export function remoteFile(lease: Lease, archive: Archive): RemoteFile {
  return {
    path: remotePath(archive),
    size: archive.size,
    transferId: transferId(lease.userId, lease.destination, archive),
  };
}
