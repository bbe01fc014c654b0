import { PutObjectCommand } from '@aws-sdk/client-s3';
import { crc32Of } from '../../core/crc32.ts';
import { FerryError } from '../../core/errors.ts';
import type { PartPlan } from '../../core/parts.ts';
import type { RemoteFile, Upload } from '../contract.ts';
import type { Bucket } from './client.ts';
import { encodeCrc32 } from './etags.ts';
import { markOf, prove } from './published.ts';

/**
 * A file of one part or none: its bytes are kept until `finish` sends them in one request, so that
 * nothing is visible before and nothing is left behind. There is nothing to resume.
 */
export function beginSingle(bucket: Bucket, file: RemoteFile, plan: PartPlan): Upload {
  let kept: Buffer | undefined = plan.count === 0 ? Buffer.alloc(0) : undefined;
  let sent = false;

  return {
    held: 0,
    async writePart(part) {
      kept = part.bytes;
    },
    checkpoint: async () => undefined,
    async finish(digest, signal) {
      if (!sent) {
        await put(bucket, file, whole(kept, plan), signal);
        sent = true;
        kept = undefined;
      }
      return prove(bucket, file, digest, undefined, signal);
    },
    async abort() {
      kept = undefined;
    },
  };
}

function whole(bytes: Buffer | undefined, plan: PartPlan): Buffer {
  if (bytes?.length === plan.size) return bytes;
  throw new FerryError('short-write', 'The file is not whole yet. It is sent again.', {
    retry: 'now',
    scope: 'archive',
  });
}

async function put(bucket: Bucket, file: RemoteFile, body: Buffer, signal: AbortSignal) {
  const { provider, storageClass } = bucket.settings;
  const command = new PutObjectCommand({
    Bucket: bucket.settings.bucket,
    Key: bucket.keyOf(file.path),
    Body: body,
    ContentLength: body.length,
    Metadata: markOf(file),
    StorageClass: storageClass,
    ...(provider.checksums === 'crc32' ? { ChecksumCRC32: encodeCrc32(crc32Of(body)) } : {}),
  });
  await bucket.call(signal, (client, options) => client.send(command, options), body.length);
}
