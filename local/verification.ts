import { createHash } from 'node:crypto';
import { createConnection } from 'node:net';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import SftpClient from 'ssh2-sftp-client';
import type { StagedFile } from './archives.ts';
import type { LocalDestination, LocalUser } from './users.ts';
import { BACKUP_FOLDER } from './users.ts';

/** One archive that one destination has to have in the end. */
export interface ExpectedDelivery {
  readonly userId: string;
  readonly destination: string;
  readonly place: LocalDestination;
  readonly archive: StagedFile;
}

/** What is really there. */
export type Finding =
  | { readonly verified: true }
  | { readonly verified: false; readonly why: string };

/** What reads the destinations; nothing of Ferry's own code is in between. */
export interface Readers {
  readonly sftp: { readonly host: string; readonly port: number };
  readonly s3: S3Client;
}

/** Every archive that the users asked for, once for each of their destinations. */
export function expectedDeliveries(
  users: readonly LocalUser[],
  staged: readonly StagedFile[],
): ExpectedDelivery[] {
  return users.flatMap((user) =>
    Object.entries(user.destinations).flatMap(([destination, place]) =>
      staged
        .filter(({ userId, component }) => {
          const wanted = user.backUp === 'everything' || user.backUp.includes(component);
          return userId === user.id && wanted;
        })
        .map((archive) => ({ userId: user.id, destination, place, archive })),
    ),
  );
}

/** Reads one archive back and compares its SHA-256 with what `tar` wrote into staging. */
export async function verify(
  expected: ExpectedDelivery,
  readers: Readers,
  signal: AbortSignal,
): Promise<Finding> {
  const hash = createHash('sha256');
  let bytes = 0;
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      bytes += chunk.length;
      done();
    },
  });
  try {
    const path = `${BACKUP_FOLDER}/${expected.archive.component}/${expected.archive.file}`;
    const { place, userId } = expected;
    if (place.type === 'ssh')
      await readSftp(readers.sftp, userId, place.password, path, sink, signal);
    else await readS3(readers.s3, place.bucket, path, sink, signal);
  } catch (error) {
    return { verified: false, why: error instanceof Error ? error.message : String(error) };
  }
  if (hash.digest('hex') === expected.archive.sha256) return { verified: true };
  return {
    verified: false,
    why: `The ${bytes} bytes found are not the ${expected.archive.bytes} bytes that were staged.`,
  };
}

async function readSftp(
  { host, port }: Readers['sftp'],
  username: string,
  password: string,
  path: string,
  sink: Writable,
  signal: AbortSignal,
): Promise<void> {
  const client = new SftpClient();
  // Left to Nagle's algorithm, each of the thousands of reads takes 40 ms.
  const sock = createConnection({ host, port, noDelay: true, signal });
  try {
    await client.connect({ sock, username, password });
    await client.get(path, sink);
  } finally {
    await client.end();
  }
}

async function readS3(
  s3: S3Client,
  bucket: string,
  key: string,
  sink: Writable,
  signal: AbortSignal,
): Promise<void> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }), {
    abortSignal: signal,
  });
  if (!Body) throw new Error('The answer has no body.');
  await pipeline(Body.transformToWebStream(), sink, { signal });
}
