import { isRestError } from '@azure/storage-blob';
import * as z from 'zod';
import { FerryError } from '../../core/errors.ts';
import type { Digest, Proof } from '../../core/receipt.ts';
import type { RemoteFile } from '../contract.ts';
import type { Container } from './client.ts';
import { conditionFailure } from './errors.ts';

/** Metadata under which a blob names the transfer that made it; names are C# identifiers. */
const MARK = 'ferry_transfer';
/** Metadata for a person with the file and `sha256sum`. */
const SHA256 = 'ferry_sha256';

/** Goes with the request that makes a blob out of its blocks. */
export function metadataOf(file: RemoteFile, digest: Digest): Record<string, string> {
  return { [MARK]: file.transferId, [SHA256]: digest.sha256 };
}

/** What stands under the final name. */
export interface Published {
  /** Bytes. */
  readonly size: number;
  readonly etag: string;
  readonly modifiedAt: Date;
  /** Whether this very transfer made it, whatever became of it. */
  readonly isMarked: boolean;
}

const properties = z.object({
  contentLength: z.number(),
  etag: z.string(),
  lastModified: z.date(),
  metadata: z.record(z.string(), z.string()).default({}),
});

/** Looks at the final name; undefined where nothing stands there. */
export async function look(
  container: Container,
  file: Pick<RemoteFile, 'path'> & Partial<RemoteFile>,
  signal: AbortSignal,
): Promise<Published | undefined> {
  const name = container.nameOf(file.path);
  const found = await container.call(signal, async (client, options) => {
    try {
      return properties.parse(await client.getBlobClient(name).getProperties(options));
    } catch (thrown) {
      // The answer to HEAD has no body, and its code says whether the container is there.
      if (isRestError(thrown) && thrown.statusCode === 404 && thrown.code !== 'ContainerNotFound') {
        return undefined;
      }
      throw thrown;
    }
  });
  return (
    found && {
      size: found.contentLength,
      etag: found.etag,
      modifiedAt: found.lastModified,
      isMarked: file.transferId !== undefined && found.metadata[MARK] === file.transferId,
    }
  );
}

/**
 * Compares what stands under the final name with what was read from staging. A file of ours that is
 * not what it should be is removed, so that nobody takes it for a backup.
 * @throws FerryError `corrupted`
 */
export async function prove(
  container: Container,
  file: RemoteFile,
  digest: Digest,
  signal: AbortSignal,
): Promise<Proof> {
  const found = await look(container, file, signal);
  if (found?.isMarked && found.size === digest.size) {
    const { endpoint, container: share } = container.settings;
    return {
      verified: 'checksum',
      how: 'Azure checked the MD5 of every block, and the file is made of these blocks',
      remotePath: `${endpoint.href}${share}/${container.nameOf(file.path)}`,
      size: found.size,
      checksum: found.etag,
    };
  }
  if (found?.isMarked) await removeExactly(container, file, found, signal);
  throw new FerryError(
    'corrupted',
    'The file at the destination is not what Ferry sent. It is sent again.',
    { retry: 'later', scope: 'archive', cause: { found, expected: digest } },
  );
}

/**
 * Removes what was seen under the final name, unless it has become something else meanwhile.
 * @throws FerryError where it is still there and may not be removed
 */
async function removeExactly(
  container: Container,
  file: RemoteFile,
  { etag }: Published,
  signal: AbortSignal,
): Promise<void> {
  const name = container.nameOf(file.path);
  await container.call(signal, async (client, options) => {
    try {
      const conditions = { ifMatch: etag };
      await client.getBlobClient(name).deleteIfExists({ ...options, conditions });
    } catch (thrown) {
      const failed = conditionFailure(thrown);
      const isOther =
        failed === 'told' ||
        (failed === 'perhaps' && (await look(container, file, signal))?.etag !== etag);
      if (!isOther) throw thrown;
    }
  });
}
