import { Readable } from 'node:stream';
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { Archive } from '../core/archive.ts';
import { RECONNECT, waitBefore } from '../core/backoff.ts';
import type { Clock } from '../core/clock.ts';
import { abortError, FerryError } from '../core/errors.ts';
import { changed, isInterruption, sourceError } from './errors.ts';

/** How often a read is begun in a row without a byte arriving. */
const ATTEMPTS = 4;

/** Bytes `from` up to, not including, `to` of an object, one of its versions, or none of them. */
interface Range {
  readonly from: number;
  readonly to: number;
}

/**
 * Fills `into` with the bytes of the pinned archive from `offset` on. The SDK repeats a request, but
 * never a body that breaks (aws-sdk-js-v3#8098); here it is read on from the byte it reached.
 */
export async function readRange(
  client: S3Client,
  bucket: string,
  archive: Archive,
  offset: number,
  into: Buffer,
  signal: AbortSignal,
  clock: Pick<Clock, 'pause' | 'random'>,
): Promise<void> {
  let filled = 0;
  let failures = 0;
  while (filled < into.length) {
    const before = filled;
    try {
      const range = { from: offset + filled, to: offset + into.length };
      for await (const chunk of await open(client, bucket, archive, range, signal)) {
        filled += place(chunk, into, filled);
      }
      if (filled < into.length) throw new Error('The body ended early');
    } catch (thrown) {
      failures = filled > before ? 1 : failures + 1;
      if (signal.aborted || !isInterruption(thrown) || failures >= ATTEMPTS) {
        throw sourceError(thrown, signal);
      }
      await clock.pause(waitBefore(RECONNECT, failures, clock.random()), signal);
      if (signal.aborted) throw abortError(signal);
    }
  }
}

/** Begins a read of one range and checks that it is the range and the object that were asked for. */
async function open(
  client: S3Client,
  bucket: string,
  archive: Archive,
  { from, to }: Range,
  abortSignal: AbortSignal,
): Promise<Readable> {
  const command = new GetObjectCommand({
    Bucket: bucket,
    Key: archive.key,
    VersionId: archive.versionId,
    IfMatch: archive.etag,
    Range: `bytes=${from}-${to - 1}`,
  });
  const { Body, ContentRange, ETag } = await client.send(command, { abortSignal });
  if (!(Body instanceof Readable)) throw new Error('The answer has no body');
  if (ContentRange === `bytes ${from}-${to - 1}/${archive.size}` && ETag === archive.etag) {
    return Body;
  }
  Body.destroy();
  throw changed({ ContentRange, ETag });
}

function place(chunk: unknown, into: Buffer, at: number): number {
  if (!(chunk instanceof Uint8Array) || at + chunk.length > into.length) {
    throw new FerryError(
      'source-unreadable',
      'The staging bucket sent more than was asked for. Ferry tries again later.',
      { retry: 'later', scope: 'archive' },
    );
  }
  into.set(chunk, at);
  return chunk.length;
}
