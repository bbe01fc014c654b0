import { createHash } from 'node:crypto';
import { isRestError } from '@azure/storage-blob';
import type { Json } from '../../core/checkpoint.ts';
import { FerryError } from '../../core/errors.ts';
import type { PartPlan } from '../../core/parts.ts';
import type { RemoteFile, Upload } from '../contract.ts';
import { openLeadingParts } from '../leading-parts.ts';
import { uploadLost } from '../upload-checkpoint.ts';
import { blockId, blockIds, countHeld, uncommitted } from './blocks.ts';
import { readCheckpoint, toCheckpoint } from './checkpoint.ts';
import type { Container } from './client.ts';
import { conditionFailure } from './errors.ts';
import { look, metadataOf, prove } from './published.ts';

/** Begins a new upload; Azure hears of it with the first block. */
export function beginUpload(container: Container, file: RemoteFile, plan: PartPlan): Upload {
  return openUpload(container, file, plan, 0);
}

/** Goes on from what Azure holds of the file, or finds that it is published already. */
export async function resumeUpload(
  container: Container,
  file: RemoteFile,
  plan: PartPlan,
  json: Json,
  signal: AbortSignal,
): Promise<Upload> {
  const saved = readCheckpoint(json, file, plan);
  const held = countHeld(file, plan, await listBlocks(container, file, signal));
  if (held > 0 || saved.parts === 0) return openUpload(container, file, plan, held);
  const found = await look(container, file, signal);
  if (found?.isMarked && found.size === file.size) {
    return openUpload(container, file, plan, plan.count);
  }
  throw uploadLost('Azure does not have its parts any more');
}

function openUpload(container: Container, file: RemoteFile, plan: PartPlan, held: number): Upload {
  const name = container.nameOf(file.path);
  const leading = openLeadingParts(held);

  return {
    held,

    async writePart({ number, bytes }, signal) {
      const transactionalContentMD5 = createHash('md5').update(bytes).digest();
      await container.call(
        signal,
        (client, options) =>
          client
            .getBlockBlobClient(name)
            .stageBlock(blockId(file, plan, number), bytes, bytes.length, {
              ...options,
              transactionalContentMD5,
            }),
        bytes.length,
      );
      leading.settle(number);
    },

    checkpoint: async () => toCheckpoint(file, plan, leading.count),

    async finish(digest, signal) {
      const before = await look(container, file, signal);
      if (!before?.isMarked || before.size !== file.size) {
        const etag = before?.etag;
        const conditions = etag === undefined ? { ifNoneMatch: '*' } : { ifMatch: etag };
        const { tier } = container.settings;
        await container.call(signal, async (client, options) => {
          try {
            await client.getBlockBlobClient(name).commitBlockList(blockIds(file, plan), {
              ...options,
              conditions,
              metadata: metadataOf(file, digest),
              blobHTTPHeaders: { blobContentType: 'application/octet-stream' },
              ...(tier === undefined ? {} : { tier }),
            });
          } catch (thrown) {
            await acceptOwnCommit(thrown, etag, signal);
          }
        });
      }
      return prove(container, file, digest, signal);
    },

    /**
     * Azure has no request that drops blocks. A commit of none, deleted at once, would: but it shows
     * an empty file under the final name, for good where deleting is refused. Nobody sees blocks
     * alone, and Azure drops them after seven days (learn.microsoft.com/rest/api/storageservices/put-block).
     */
    async abort() {},
  };

  /**
   * A commit whose answer was lost fails when it is sent again: then the file is there, and ours.
   * @param etag of what stood under the final name before
   */
  async function acceptOwnCommit(thrown: unknown, etag: string | undefined, signal: AbortSignal) {
    const failed = conditionFailure(thrown);
    const isLost = isRestError(thrown) && thrown.code === 'InvalidBlockList';
    if (!isLost && !failed) throw thrown;
    const found = await look(container, file, signal);
    if (found?.isMarked && found.size === file.size) return;
    if (isLost || (failed === 'perhaps' && found?.etag === etag)) throw thrown;
    throw new FerryError(
      'server-error',
      'Something else wrote the same file at the same time. Ferry tries again later.',
      { retry: 'later', scope: 'archive' },
    );
  }
}

/** The blocks of a file that wait to be committed; none where Azure knows nothing of the file. */
async function listBlocks(container: Container, file: RemoteFile, signal: AbortSignal) {
  const name = container.nameOf(file.path);
  return container.call(signal, async (client, options) => {
    try {
      const list = await client.getBlockBlobClient(name).getBlockList('uncommitted', options);
      return uncommitted.array().parse(list.uncommittedBlocks ?? []);
    } catch (thrown) {
      if (isRestError(thrown) && thrown.code === 'BlobNotFound') return [];
      throw thrown;
    }
  });
}
