import { ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import { z } from 'zod';
import { FerryError } from '../../core/errors.ts';
import type { RemoteFile } from '../contract.ts';
import type { Bucket } from './client.ts';
import { requestsOf } from './multipart-requests.ts';

/** How far the server's clock may be from ours, in ms. */
const SKEW_MS = 5 * 60_000;
/** More than a process can have begun of one file and not told. */
const MOST = 20;

const listed = z.object({
  Uploads: z
    .array(z.object({ Key: z.string(), UploadId: z.string(), Initiated: z.date() }))
    .default([]),
});

/**
 * Aborts what an earlier process of ours began of this file without being able to say so: uploads to
 * its very key that were begun since. Those of others to the same key, should there be any, are older or
 * lie outside of Ferry's folder; a server that cannot list them keeps them until its own rules say so.
 */
export async function abortOrphans(
  bucket: Bucket,
  file: RemoteFile,
  since: Date,
  signal: AbortSignal,
): Promise<void> {
  const Key = bucket.keyOf(file.path);
  const command = new ListMultipartUploadsCommand({ Bucket: bucket.settings.bucket, Prefix: Key });
  try {
    const { Uploads } = await bucket.call(signal, async (client, options) =>
      listed.parse(await client.send(command, options)),
    );
    const orphans = Uploads.filter(
      (one) => one.Key === Key && one.Initiated.getTime() >= since.getTime() - SKEW_MS,
    );
    for (const { UploadId } of orphans.slice(0, MOST)) {
      await requestsOf(bucket, file, UploadId).abort(signal);
    }
  } catch (thrown) {
    const isNoMatter = thrown instanceof FerryError && NO_MATTER.includes(thrown.code);
    if (!isNoMatter) throw thrown;
  }
}

/** The server cannot list uploads, the key may not, or somebody else was quicker to abort. */
const NO_MATTER: readonly string[] = [
  'protocol',
  'permission-denied',
  'not-found',
  'upload-lost',
  'server-error',
];
