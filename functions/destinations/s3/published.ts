import { DeleteObjectCommand, HeadObjectCommand } from '@aws-sdk/client-s3';
import * as z from 'zod';
import { FerryError } from '../../core/errors.ts';
import type { Digest, Proof } from '../../core/receipt.ts';
import type { RemoteFile } from '../contract.ts';
import type { Bucket } from './client.ts';
import { compositeEtag, encodeCrc32, plainEtag } from './etags.ts';

/** Metadata under which a finished object names the transfer that made it. */
const MARK = 'ferry-transfer';

/** Goes with the request that creates an object, and makes it known as ours afterwards. */
export function markOf(file: RemoteFile): Record<string, string> {
  return { [MARK]: file.transferId };
}

/** What stands under the final name. */
export interface Published {
  /** Bytes. */
  readonly size: number;
  readonly etag: string;
  /** CRC-32 of the whole object as S3 writes it, where the server keeps one. */
  readonly crc32?: string | undefined;
  /** Whether this very transfer made it, whatever became of it. */
  readonly isMarked: boolean;
  /** Whether this very transfer made it, and it has its whole size. */
  readonly isOurs: boolean;
  /** Encrypted with a key of the user's: its ETag says nothing of its content. */
  readonly isSealed: boolean;
}

const head = z.object({
  ContentLength: z.number(),
  ETag: z.string(),
  ChecksumCRC32: z.string().optional(),
  ChecksumType: z.string().optional(),
  Metadata: z.record(z.string(), z.string()).default({}),
  ServerSideEncryption: z.string().optional(),
  SSECustomerAlgorithm: z.string().optional(),
});

/** Looks at the final name; undefined where nothing stands there. */
export async function look(
  bucket: Bucket,
  file: RemoteFile,
  signal: AbortSignal,
): Promise<Published | undefined> {
  const { provider, bucket: Bucket } = bucket.settings;
  const input = {
    Bucket,
    Key: bucket.keyOf(file.path),
    ...(provider.checksums === 'crc32' ? { ChecksumMode: 'ENABLED' as const } : {}),
  };
  try {
    const found = await bucket.call(signal, async (client, options) =>
      head.parse(await client.send(new HeadObjectCommand(input), options)),
    );
    const isMarked = found.Metadata[MARK] === file.transferId;
    return {
      size: found.ContentLength,
      etag: plainEtag(found.ETag),
      crc32: found.ChecksumType === 'FULL_OBJECT' ? found.ChecksumCRC32 : undefined,
      isMarked,
      isOurs: isMarked && found.ContentLength === file.size,
      isSealed:
        found.ServerSideEncryption?.startsWith('aws:kms') === true ||
        found.SSECustomerAlgorithm !== undefined,
    };
  } catch (thrown) {
    if (thrown instanceof FerryError && thrown.code === 'not-found') return undefined;
    throw thrown;
  }
}

/**
 * Compares what stands under the final name with what was read from staging. An object of ours that
 * is not what it should be is removed, so that nobody takes it for a backup.
 * @param partEtags of all parts in order, where they are known
 * @throws FerryError `corrupted`
 */
export async function prove(
  bucket: Bucket,
  file: RemoteFile,
  digest: Digest,
  partEtags: readonly string[] | undefined,
  signal: AbortSignal,
): Promise<Proof> {
  const found = await look(bucket, file, signal);
  if (!found) {
    throw new FerryError(
      'server-error',
      'The destination took the file but does not show it yet. Ferry looks again later.',
      { retry: 'later', scope: 'archive' },
    );
  }
  const { provider } = bucket.settings;
  const wanted = partEtags && compositeEtag(partEtags);
  const etagMatches = wanted !== undefined && wanted === found.etag;
  const etagTells =
    wanted !== undefined && provider.multipartEtag === 'md5-of-parts' && !found.isSealed;
  const crc32 = encodeCrc32(digest.crc32);
  if (
    found.size !== digest.size ||
    (found.crc32 !== undefined && found.crc32 !== crc32) ||
    (etagTells && !etagMatches)
  ) {
    if (found.isMarked) await remove(bucket, file, signal);
    throw new FerryError(
      'corrupted',
      'The file at the destination is not what Ferry sent. It is sent again.',
      { retry: 'later', scope: 'archive', cause: { found, expected: { ...digest, etag: wanted } } },
    );
  }
  const witnesses = [
    provider.checksums === 'crc32' ? 'a CRC-32 of every part' : 'a signed SHA-256 of every part',
    ...(found.crc32 === crc32 ? ['the CRC-32 of the whole object'] : []),
    ...(etagMatches ? ['an ETag made of the MD5 of its parts'] : []),
  ];
  return {
    verified: 'checksum',
    how: `${provider.name} checked ${witnesses.join(', ')}`,
    remotePath: `s3://${bucket.settings.bucket}/${bucket.keyOf(file.path)}`,
    size: found.size,
    checksum: found.etag,
  };
}

async function remove(bucket: Bucket, file: RemoteFile, signal: AbortSignal): Promise<void> {
  const input = { Bucket: bucket.settings.bucket, Key: bucket.keyOf(file.path) };
  await bucket.call(signal, (client, options) =>
    client.send(new DeleteObjectCommand(input), options),
  );
}
