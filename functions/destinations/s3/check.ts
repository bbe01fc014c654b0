import { randomBytes } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { FerryError } from '../../core/errors.ts';
import type { CheckStep } from '../contract.ts';
import { type Bucket, stoppable, tlsOptions } from './client.ts';
import { serverName, socketHost } from './endpoint.ts';
import { s3Error } from './errors.ts';

const CONNECT_MS = 5000;

/** What a step has learnt, for the reader of the report. */
type Step = readonly [name: string, run: () => Promise<string | undefined>];

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
  const remove = () =>
    bucket.call(signal, (client, options) => client.send(new DeleteObjectCommand(object), options));

  const steps: readonly Step[] = [
    ['name lookup', async () => (await lookup(socketHost(endpoint))).address],
    ['TCP', () => tryTcp(bucket, signal)],
    ...(endpoint.protocol === 'https' ? [['TLS', () => tryTls(bucket, signal)] as const] : []),
    ['authentication', () => tryKeys(bucket, signal)],
    [
      'write',
      async () => {
        const command = new PutObjectCommand({ ...object, Body: body });
        await bucket.call(signal, (client, options) => client.send(command, options));
        return undefined;
      },
    ],
    [
      'read back',
      async () => {
        try {
          await readBack(bucket, object, body, signal);
        } catch (thrown) {
          await remove().catch(() => {});
          throw thrown;
        }
        return undefined;
      },
    ],
    ['delete', async () => void (await remove())],
  ];

  for (const [step, run] of steps) {
    const startedAt = performance.now();
    const ms = () => Math.round(performance.now() - startedAt);
    try {
      const detail = await stoppable(signal, run());
      yield { step, ms: ms(), detail };
    } catch (thrown) {
      yield { step, ms: ms(), error: s3Error(thrown, signal) };
      return;
    }
  }
}

async function tryTcp(bucket: Bucket, signal: AbortSignal): Promise<undefined> {
  const { endpoint } = bucket.settings;
  const socket = connectTcp({ host: socketHost(endpoint), port: endpoint.port });
  await established(socket, 'connect', signal);
}

async function tryTls(bucket: Bucket, signal: AbortSignal): Promise<string | undefined> {
  const { endpoint } = bucket.settings;
  const servername = serverName(endpoint);
  const socket = connectTls({
    host: socketHost(endpoint),
    port: endpoint.port,
    ...(servername === undefined ? {} : { servername }),
    ...tlsOptions(bucket.settings),
  });
  return established(socket, 'secureConnect', signal, () => socket.getProtocol() ?? undefined);
}

async function established(
  socket: Socket,
  event: string,
  signal: AbortSignal,
  learn: () => string | undefined = () => undefined,
): Promise<string | undefined> {
  try {
    const inTime = AbortSignal.any([signal, AbortSignal.timeout(CONNECT_MS)]);
    await once(socket, event, { signal: inTime });
    return learn();
  } catch (thrown) {
    if (signal.aborted || !(thrown instanceof Error) || thrown.name !== 'AbortError') throw thrown;
    throw new FerryError(
      'unreachable',
      `The server did not answer within ${CONNECT_MS / 1000} seconds. Check AWS_ENDPOINT and its firewall.`,
      { retry: 'later' },
    );
  } finally {
    socket.destroy();
  }
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
