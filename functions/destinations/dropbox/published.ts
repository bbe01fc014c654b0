import { FerryError } from '../../core/errors.ts';
import type { Digest, Proof } from '../../core/receipt.ts';
import type { RemoteFile } from '../contract.ts';
import type { Account } from './client.ts';
import { readRefusal, says } from './refusals.ts';
import { type FileMetadata, metadata } from './results.ts';

/** Looks at a name. @returns the file, `folder` where a folder has the name, undefined for nothing */
export async function look(
  account: Account,
  path: string,
  signal: AbortSignal,
): Promise<FileMetadata | 'folder' | undefined> {
  return account.call(signal, async (client, options) => {
    try {
      const { result } = await client.filesGetMetadata({ path: account.pathOf(path) }, options);
      const entry = metadata.parse(result);
      if (entry['.tag'] === 'file') return entry;
      return entry['.tag'] === 'folder' ? 'folder' : undefined;
    } catch (thrown) {
      if (!says(readRefusal(thrown), 'path', 'not_found')) throw thrown;
      return undefined;
    }
  });
}

/** Whether a file is, to the last byte, the one with this content hash. */
export function isWhole(found: FileMetadata, size: number, contentHash: string): boolean {
  return found.size === size && found.content_hash === contentHash;
}

/**
 * Compares what Dropbox says of the finished file with what was sent. One that is not what it should be
 * is removed, so that nobody takes it for a backup.
 * @throws FerryError `corrupted`
 */
export async function prove(
  account: Account,
  file: RemoteFile,
  published: FileMetadata,
  digest: Digest,
  contentHash: string,
  signal: AbortSignal,
): Promise<Proof> {
  if (isWhole(published, digest.size, contentHash)) {
    return {
      verified: 'checksum',
      how: "Dropbox's content_hash over the whole file",
      remotePath: account.pathOf(file.path),
      size: published.size,
      checksum: published.content_hash,
    };
  }
  await removeExactly(account, file.path, published, signal);
  const { size, content_hash } = published;
  throw new FerryError(
    'corrupted',
    'The file at the destination is not what Ferry sent. It is sent again.',
    {
      retry: 'later',
      scope: 'archive',
      cause: { found: { size, content_hash }, expected: { size: digest.size, contentHash } },
    },
  );
}

/** Removes a file; that there is none is no error. */
export async function remove(account: Account, path: string, signal: AbortSignal): Promise<void> {
  await account.call(signal, async (client, options) => {
    try {
      await client.filesDeleteV2({ path: account.pathOf(path) }, options);
    } catch (thrown) {
      if (!says(readRefusal(thrown), 'path_lookup', 'not_found')) throw thrown;
    }
  });
}

/** Removes this very revision, and nothing that has come into its place meanwhile. */
async function removeExactly(
  account: Account,
  path: string,
  { rev }: FileMetadata,
  signal: AbortSignal,
): Promise<void> {
  await account.call(signal, async (client, options) => {
    try {
      await client.filesDeleteV2({ path: account.pathOf(path), parent_rev: rev }, options);
    } catch (thrown) {
      const refusal = readRefusal(thrown);
      const isGone = says(refusal, 'path_lookup', 'not_found') || says(refusal, 'conflict');
      if (!isGone) throw thrown;
    }
  });
}
