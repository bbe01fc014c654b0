import { randomBytes } from 'node:crypto';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { FerryError } from '../../core/errors.ts';
import { runSteps, type Step } from '../check-steps.ts';
import type { CheckStep } from '../contract.ts';
import { reachingSteps } from '../http/connection-steps.ts';
import { measureSpeed } from '../speed.ts';
import { type Bucket, PURPOSE } from './client.ts';
import { s3Error } from './errors.ts';

/**
 * Tries everything that a delivery needs, one step at a time, with a small object of its own that
 * it deletes. The object has no storage class: those for archives cannot be read back, and are billed
 * for months.
 */
export async function* checkConnection(
  bucket: Bucket,
  signal: AbortSignal,
): AsyncIterable<CheckStep> {
  const { endpoint, bucket: Bucket } = bucket.settings;
  const object = { Bucket, Key: bucket.keyOf(`.ferry-check-${randomBytes(8).toString('hex')}`) };
  const body = randomBytes(32);
  const write = (bytes: Buffer, stop: AbortSignal) => {
    const command = new PutObjectCommand({ ...object, Body: bytes });
    return bucket.call(stop, (client, options) => client.send(command, options), bytes.length);
  };
  const remove = (stop: AbortSignal) =>
    bucket.call(stop, (client, options) => client.send(new DeleteObjectCommand(object), options));

  const steps: readonly Step[] = [
    ...reachingSteps(endpoint, bucket.settings, bucket.egress, PURPOSE, signal),
    ['authentication', () => tryKeys(bucket, signal)],
    ['write', async () => void (await write(body, signal))],
    [
      'read back',
      async () => {
        try {
          await readBack(bucket, object, body, signal);
        } catch (thrown) {
          await remove(signal).catch(() => {});
          throw thrown;
        }
        return undefined;
      },
    ],
    ['delete', async () => void (await remove(signal))],
    ['speed', () => measureSpeed(write, remove, signal)],
  ];

  yield* runSteps(steps, (thrown) => s3Error(thrown, signal), signal);
}

/** A key that may not list can still deliver, so that alone does not fail the test. */
async function tryKeys(bucket: Bucket, signal: AbortSignal): Promise<string> {
  const { folder, bucket: Bucket } = bucket.settings;
  const input = { Bucket, MaxKeys: 1, ...(folder === '' ? {} : { Prefix: `${folder}/` }) };
  const region = `region ${await bucket.region(signal)}`;
  try {
    await bucket.call(signal, (client, options) =>
      client.send(new ListObjectsV2Command(input), options),
    );
    return region;
  } catch (thrown) {
    if (!(thrown instanceof FerryError) || thrown.code !== 'permission-denied') throw thrown;
    return `${region}; the key may not list the bucket, so Ferry cannot show or tidy what is there`;
  }
}

async function readBack(
  bucket: Bucket,
  object: { Bucket: string; Key: string },
  expected: Buffer,
  signal: AbortSignal,
): Promise<void> {
  const bytes = await bucket.call(signal, async (client, options) => {
    const { Body } = await client.send(new GetObjectCommand(object), options);
    return Body?.transformToByteArray();
  });
  if (!bytes || !expected.equals(bytes)) {
    throw new FerryError(
      'corrupted',
      'What the server gives back is not what was written. Look for a proxy or disk that alters data.',
      { retry: 'later' },
    );
  }
}
