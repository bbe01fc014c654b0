import {
  AbortMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
} from '@aws-sdk/client-s3';
import * as z from 'zod';
import type { RemoteFile } from '../contract.ts';
import type { Bucket } from './client.ts';

/** A server that tells of no uploads keeps nobody waiting, in ms. */
const PATIENCE_MS = 10_000;

const listed = z.object({
  Uploads: z.array(z.object({ Key: z.string(), UploadId: z.string() })).default([]),
});
const parts = z.object({ UploadId: z.string(), Parts: z.array(z.unknown()).default([]) });

/**
 * Ends uploads of a file that were begun and never heard of again: the process was killed before it could
 * note the id, or the answer was lost and the request sent once more. Such an upload has no part, since the
 * id is noted before the first one; one that has some is somebody else's. Where the server or the key does
 * not allow to look, they stay until the bucket's own rule ends them.
 * @param ownId the upload that needs no look
 */
export async function endAbandoned(
  bucket: Bucket,
  file: RemoteFile,
  ownId: string,
  signal: AbortSignal,
): Promise<void> {
  const soon = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
  const Key = bucket.keyOf(file.path);
  const place = { Bucket: bucket.settings.bucket };
  try {
    const command = new ListMultipartUploadsCommand({ ...place, Prefix: Key });
    const { Uploads } = await bucket.call(soon, async (client, options) =>
      listed.parse(await client.send(command, options)),
    );
    for (const { UploadId } of Uploads.filter((one) => one.Key === Key)) {
      if (UploadId === ownId) continue;
      const target = { ...place, Key, UploadId };
      const { Parts, UploadId: told } = await bucket.call(soon, async (client, options) =>
        parts.parse(await client.send(new ListPartsCommand(target), options)),
      );
      if (told !== UploadId || Parts.length > 0) continue;
      await bucket.call(soon, (client, options) =>
        client.send(new AbortMultipartUploadCommand(target), options),
      );
    }
  } catch {
    // What could not be ended holds no bytes.
  }
}
