import { Readable } from 'node:stream';
import {
  GetObjectCommand,
  HeadObjectCommand,
  paginateListObjectsV2,
  type S3Client,
} from '@aws-sdk/client-s3';
import * as z from 'zod';
import {
  type Archive,
  type StagedArchive,
  type StoredChecksum,
  splitKey,
} from '../core/archive.ts';
import { type Clock, systemClock } from '../core/clock.ts';
import { FerryError } from '../core/errors.ts';
import { changed, sourceError } from './errors.ts';
import { readRange } from './ranged-read.ts';

const staged = z.object({ Key: z.string(), ETag: z.string(), Size: z.number() });

const head = z.object({
  ETag: z.string(),
  ContentLength: z.number(),
  VersionId: z.string().optional(),
  ChecksumType: z.string().optional(),
  ChecksumCRC32: z.string().optional(),
});

/** The staging bucket as a job sees it. */
export interface Staging {
  /** Every archive staged for a user, in key order; keys that are no archives are left out. */
  list(userId: string, signal: AbortSignal): AsyncIterable<StagedArchive>;
  /**
   * Pins an archive to the content it has now, with the CRC-32 of the whole where S3 keeps one.
   * @throws FerryError `source-missing` or `source-changed` when it is no longer what was listed
   */
  pin(archive: StagedArchive, signal: AbortSignal): Promise<Archive>;
  /**
   * Reads exactly `length` bytes at `offset` of the pinned content into the start of `into` and
   * resolves with the view on them. Retries a broken body by itself.
   * @throws FerryError `source-changed` when the archive was replaced
   */
  read(
    archive: Archive,
    range: { readonly offset: number; readonly length: number },
    into: Buffer,
    signal: AbortSignal,
  ): Promise<Buffer>;
  /**
   * A small text staged for a user: a key or a certificate that settings name.
   * @param path below the user's own folder
   * @returns undefined where there is none
   * @throws FerryError `setting-invalid` where it is larger than 64 KiB
   */
  readText(userId: string, path: string, signal: AbortSignal): Promise<string | undefined>;
}

/** More than any key or chain of certificates has; in bytes. */
const LARGEST_TEXT = 64 * 1024;

/**
 * Opens the bucket that the panel stages archives in. Give the client's `requestHandler` a
 * `connectionTimeout` and a `socketTimeout`: a body that stops flowing is then read on by a new request.
 */
export function openStaging(
  client: S3Client,
  bucket: string,
  clock: Pick<Clock, 'pause' | 'random'> = systemClock(() => Number.POSITIVE_INFINITY),
): Staging {
  return {
    async *list(userId, signal) {
      const input = { Bucket: bucket, Prefix: `${userId}/` };
      try {
        const pages = paginateListObjectsV2({ client }, input, { abortSignal: signal });
        for await (const { Contents = [] } of pages) {
          for (const item of Contents) {
            const { Key: key, ETag: etag, Size: size } = staged.parse(item);
            const names = splitKey(userId, key);
            if (names) yield { key, etag, size, ...names };
          }
        }
      } catch (thrown) {
        throw sourceError(thrown, signal);
      }
    },

    async pin(archive, signal) {
      const command = new HeadObjectCommand({
        Bucket: bucket,
        Key: archive.key,
        ChecksumMode: 'ENABLED',
      });
      try {
        const found = head.parse(await client.send(command, { abortSignal: signal }));
        if (found.ETag !== archive.etag || found.ContentLength !== archive.size) throw changed();
        return { ...archive, versionId: found.VersionId, checksum: wholeChecksum(found) };
      } catch (thrown) {
        throw sourceError(thrown, signal);
      }
    },

    async read(archive, { offset, length }, into, signal) {
      if (length > into.length) throw new RangeError(`${length} bytes into ${into.length}`);
      const view = into.subarray(0, length);
      await readRange(client, bucket, archive, offset, view, signal, clock);
      return view;
    },

    async readText(userId, path, signal) {
      const command = new GetObjectCommand({ Bucket: bucket, Key: `${userId}/${path}` });
      try {
        const { Body, ContentLength = 0 } = await client.send(command, { abortSignal: signal });
        if (ContentLength <= LARGEST_TEXT) return await Body?.transformToString();
        if (Body instanceof Readable) Body.destroy();
      } catch (thrown) {
        const error = sourceError(thrown, signal);
        if (error.code === 'source-missing') return undefined;
        throw error;
      }
      throw new FerryError(
        'setting-invalid',
        `"${path}" in the user's folder of the staging bucket is too large for a key or a certificate.`,
        { retry: 'never' },
      );
    },
  };
}

/** A composite checksum is of the parts' checksums and says nothing that can be compared with the bytes. */
function wholeChecksum({
  ChecksumType,
  ChecksumCRC32,
}: z.output<typeof head>): StoredChecksum | undefined {
  if (ChecksumType !== 'FULL_OBJECT' || ChecksumCRC32 === undefined) return undefined;
  return { algorithm: 'crc32', value: Buffer.from(ChecksumCRC32, 'base64').readUInt32BE() };
}
