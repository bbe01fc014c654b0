import { Readable } from 'node:stream';
import { DeleteObjectCommand, GetObjectCommand, HeadObjectCommand } from '@aws-sdk/client-s3';
import * as z from 'zod';
import { FerryError } from '../../core/errors.ts';
import { GiB, MiB } from '../../core/parts.ts';
import type { Capabilities, Destination } from '../contract.ts';
import type { Surroundings } from '../surroundings.ts';
import { checkConnection } from './check.ts';
import { type Bucket, openBucket } from './client.ts';
import { provideCredentials } from './credentials.ts';
import { s3Error } from './errors.ts';
import { listObjects } from './listing.ts';
import { beginMultipart, resumeMultipart } from './multipart-upload.ts';
import type { S3Settings } from './settings.ts';
import { beginSingle } from './single-upload.ts';

/** docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const PART = { min: 5 * MiB, max: 5 * GiB, preferred: 8 * MiB, multiple: 1 } as const;
const PARALLEL = 4;

const head = z.object({ ContentLength: z.number(), LastModified: z.date() });

/** A bucket of any S3-compatible server. Nothing is sent before the first call. */
export async function openS3(
  settings: S3Settings,
  surroundings: Surroundings,
): Promise<Destination> {
  const credentials = provideCredentials(settings.credentials, surroundings);
  const bucket = openBucket(settings, credentials, surroundings.egress);
  const at = (path: string) => ({ Bucket: settings.bucket, Key: bucket.keyOf(path) });

  return {
    capabilities: async () => capabilitiesOf(settings),
    check: (signal) => checkConnection(bucket, signal),
    begin: async (file, plan, signal) =>
      plan.count > 1 ? beginMultipart(bucket, file, plan, signal) : beginSingle(bucket, file, plan),
    resume: (file, plan, checkpoint, signal) =>
      resumeMultipart(bucket, file, plan, checkpoint, signal),
    async stat(path, signal) {
      const found = await unlessMissing(
        bucket.call(signal, async (client, options) =>
          head.parse(await client.send(new HeadObjectCommand(at(path)), options)),
        ),
      );
      return found && { path, size: found.ContentLength, modifiedAt: found.LastModified };
    },
    list: (prefix, signal) => listObjects(bucket, prefix, signal),
    read: (path, signal, range) => readObject(bucket, at(path), signal, range),
    async remove(path, signal) {
      await unlessMissing(
        bucket.call(signal, (client, options) =>
          client.send(new DeleteObjectCommand(at(path)), options),
        ),
      );
    },
    close: async () => bucket.close(),
  };
}

function capabilitiesOf({ partSize, provider }: S3Settings): Capabilities {
  return {
    writes: 'any-order',
    part: { ...PART, preferred: partSize ?? PART.preferred, most: provider.mostParts },
    parallel: PARALLEL,
    resume: 'parts',
    publish: 'atomic',
    proof: 'checksum',
  };
}

async function* readObject(
  bucket: Bucket,
  object: { Bucket: string; Key: string },
  signal: AbortSignal,
  range: { from: number; to: number } | undefined,
): AsyncIterable<Uint8Array> {
  if (range && range.from >= range.to) return;
  const Range = range && `bytes=${range.from}-${range.to - 1}`;
  const { Body } = await bucket.call(signal, (client, options) =>
    client.send(new GetObjectCommand({ ...object, Range }), options),
  );
  if (!(Body instanceof Readable)) return;
  try {
    for await (const chunk of Body) yield chunk;
  } catch (thrown) {
    throw s3Error(thrown, signal);
  }
}

/** The answer, or undefined where the object is not there. */
async function unlessMissing<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (thrown) {
    const isMissing =
      thrown instanceof FerryError && thrown.code === 'not-found' && thrown.scope === 'archive';
    if (isMissing) return undefined;
    throw thrown;
  }
}
