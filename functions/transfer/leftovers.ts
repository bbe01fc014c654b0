import type { Checkpoint } from '../core/checkpoint.ts';
import { toFerryError } from '../core/errors.ts';
import type { JobError } from '../core/job-record.ts';
import type { TransferTools } from './attempt.ts';
import { takeBack } from './checkpoint-keeper.ts';

/**
 * When everything staged is dealt with, a transfer that is still open is one of an archive that is not
 * staged or not wanted any more, or has its receipt: nobody will go on with it. The latter was noted by a
 * worker that was killed after the receipt, or by one that had lost the lease and went on sending.
 */
export async function takeBackLeftovers(
  tools: TransferTools,
  errors: readonly JobError[],
): Promise<void> {
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
