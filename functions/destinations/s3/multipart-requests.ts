import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListPartsCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import * as z from 'zod';
import { crc32Of } from '../../core/crc32.ts';
import { FerryError } from '../../core/errors.ts';
import type { Digest } from '../../core/receipt.ts';
import type { RemoteFile } from '../contract.ts';
import type { Bucket } from './client.ts';
import { encodeCrc32, plainEtag } from './etags.ts';
import { markOf } from './published.ts';

/** The five requests of one multipart upload. Part numbers count from 0 here and from 1 at S3. */
export interface MultipartRequests {
  uploadPart(number: number, bytes: Buffer, signal: AbortSignal): Promise<string>;
  /** Size and ETag by part number; undefined where the server does not tell. */
  listParts(signal: AbortSignal): Promise<ReadonlyMap<number, HeldPart> | undefined>;
  complete(etags: readonly string[], digest: Digest, signal: AbortSignal): Promise<void>;
  /** @throws FerryError `upload-lost` when there is nothing to abort any more */
  abort(signal: AbortSignal): Promise<void>;
}

/** A part as the server has it. */
export interface HeldPart {
  /** Bytes. */
  readonly size: number;
  readonly etag: string;
}

const created = z.object({ UploadId: z.string().min(1) });
const uploaded = z.object({ ETag: z.string().min(1) });
const listed = z.object({
  UploadId: z.string(),
  IsTruncated: z.boolean().default(false),
  NextPartNumberMarker: z.string().optional(),
  Parts: z
    .array(z.object({ PartNumber: z.number(), Size: z.number(), ETag: z.string() }))
    .default([]),
});

/** Begins an upload and gives its id. */
export async function createUpload(
  bucket: Bucket,
  file: RemoteFile,
  signal: AbortSignal,
): Promise<string> {
  const { provider, storageClass } = bucket.settings;
  const command = new CreateMultipartUploadCommand({
    Bucket: bucket.settings.bucket,
    Key: bucket.keyOf(file.path),
    Metadata: markOf(file),
    StorageClass: storageClass,
    ...(provider.checksums === 'crc32'
      ? { ChecksumAlgorithm: 'CRC32' as const, ChecksumType: 'FULL_OBJECT' as const }
      : {}),
  });
  const { UploadId } = await bucket.call(signal, async (client, options) =>
    created.parse(await client.send(command, options)),
  );
  return UploadId;
}

/** The requests that go on with an upload. */
export function requestsOf(bucket: Bucket, file: RemoteFile, uploadId: string): MultipartRequests {
  const checksums = bucket.settings.provider.checksums === 'crc32';
  const target = {
    Bucket: bucket.settings.bucket,
    Key: bucket.keyOf(file.path),
    UploadId: uploadId,
  };

  return {
    async uploadPart(number, bytes, signal) {
      const command = new UploadPartCommand({
        ...target,
        PartNumber: number + 1,
        Body: bytes,
        ContentLength: bytes.length,
        ...(checksums ? { ChecksumCRC32: encodeCrc32(crc32Of(bytes)) } : {}),
      });
      const { ETag } = await bucket.call(
        signal,
        async (client, options) => uploaded.parse(await client.send(command, options)),
        bytes.length,
      );
      return plainEtag(ETag);
    },

    async listParts(signal) {
      try {
        const parts = new Map<number, HeldPart>();
        // Not the SDK's paginator: it ignores IsTruncated, and an upload without parts never ends.
        let PartNumberMarker: string | undefined;
        do {
          const command = new ListPartsCommand({ ...target, PartNumberMarker });
          const answer = await bucket.call(signal, (client, options) =>
            client.send(command, options),
          );
          const page = listed.safeParse(answer);
          // A server without this request answers with something else altogether.
          if (!page.success || page.data.UploadId !== uploadId) return undefined;
          for (const { PartNumber, Size, ETag } of page.data.Parts) {
            parts.set(PartNumber - 1, { size: Size, etag: plainEtag(ETag) });
          }
          PartNumberMarker = page.data.IsTruncated ? page.data.NextPartNumberMarker : undefined;
        } while (PartNumberMarker !== undefined);
        return parts;
      } catch (thrown) {
        if (thrown instanceof FerryError && CANNOT_LIST.includes(thrown.code)) return undefined;
        throw thrown;
      }
    },

    async complete(etags, digest, signal) {
      const command = new CompleteMultipartUploadCommand({
        ...target,
        MultipartUpload: {
          Parts: etags.map((etag, n) => ({ PartNumber: n + 1, ETag: `"${etag}"` })),
        },
        ...(checksums
          ? {
              ChecksumCRC32: encodeCrc32(digest.crc32),
              ChecksumType: 'FULL_OBJECT' as const,
              MpuObjectSize: digest.size,
            }
          : {}),
      });
      await bucket.call(signal, (client, options) => client.send(command, options));
    },

    async abort(signal) {
      const command = new AbortMultipartUploadCommand(target);
      await bucket.call(signal, (client, options) => client.send(command, options));
    },
  };
}

/**
 * How servers answer that cannot list parts, or keys that may not: not implemented, or taken for a
 * request of the object itself.
 */
const CANNOT_LIST: readonly string[] = ['protocol', 'permission-denied', 'not-found'];
