import { S3Client } from '@aws-sdk/client-s3';
import { HttpRequest } from '@smithy/core/protocols';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import type { Egress, Purpose } from '../../core/egress.ts';
import { unlessAborted } from '../../core/stopping.ts';
import { type Address, originOf } from '../http/address.ts';
import { createAgents } from '../http/agents.ts';
import { createTurnstile } from '../http/turnstile.ts';
import type { CredentialProvider } from './credentials.ts';
import { s3Error, waitError } from './errors.ts';
import { AWS } from './providers.ts';
import { findRegion } from './region.ts';
import type { S3Settings } from './settings.ts';

const SECOND = 1000;
/** Parts under way and a few small requests beside them. */
const REQUESTS = 12;
/** Some more than requests, for bodies that are still being read. */
const SOCKETS = 24;
/** A request with a body may take longer by the time that this rate needs, in bytes a second. */
const SLOWEST_LINE = 32 * 1024;

export const PURPOSE: Purpose = {
  type: 's3',
  settings: { host: 'AWS_ENDPOINT', port: 'AWS_ENDPOINT' },
};

/** What every request is sent with. */
export interface RequestOptions {
  readonly abortSignal: AbortSignal;
  readonly requestTimeout: number;
}

/** The bucket of one user, and the one way to talk to it. */
export interface Bucket {
  readonly settings: S3Settings;
  readonly egress: Egress;
  /** The key of a path below the user's folder. */
  keyOf(path: string): string;
  /**
   * Sends one request, signed for the right region. Ends as soon as the signal is aborted.
   * @param bytes how large its body is
   * @throws FerryError for whatever goes wrong
   */
  call<T>(
    signal: AbortSignal,
    request: (client: S3Client, options: RequestOptions) => Promise<T>,
    bytes?: number,
  ): Promise<T>;
  /** The region that requests are signed for. */
  region(signal: AbortSignal): Promise<string>;
  close(): void;
}

/** Makes no connection yet. */
export function openBucket(
  settings: S3Settings,
  credentials: CredentialProvider,
  egress: Egress,
): Bucket {
  const requestHandler = new NodeHttpHandler({
    connectionTimeout: 5 * SECOND,
    socketTimeout: 60 * SECOND,
    throwOnRequestTimeout: true,
    ...createAgents(settings, SOCKETS, egress, PURPOSE),
  });
  // Where requests wait for a socket instead, their time to connect is already running.
  const inTurn = createTurnstile(REQUESTS);
  const clients = new Map<string, S3Client>();
  const clientFor = (region: string) => {
    const client =
      clients.get(region) ?? createClient(settings, credentials, region, requestHandler);
    clients.set(region, client);
    return client;
  };
  let region = settings.region;

  const bucket: Bucket = {
    settings,
    egress,
    keyOf: (path) => (settings.folder === '' ? path : `${settings.folder}/${path}`),
    async call(signal, request, bytes = 0) {
      const client = clientFor(await bucket.region(signal));
      const requestTimeout = 120 * SECOND + (bytes / SLOWEST_LINE) * SECOND;
      return stoppable(
        signal,
        inTurn(() => request(client, { abortSignal: signal, requestTimeout })),
      );
    },
    async region(signal) {
      region ??= await stoppable(signal, findRegion(settings, clientFor, signal));
      return region;
    },
    close() {
      for (const client of clients.values()) client.destroy();
      requestHandler.destroy();
    },
  };
  return bucket;
}

/** Settles with the work, or with the reason of an abort at once; then nobody waits for the work. */
export async function stoppable<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  try {
    return await unlessAborted(work, signal);
  } catch (thrown) {
    throw s3Error(thrown, signal);
  }
}

function createClient(
  settings: S3Settings,
  credentials: CredentialProvider,
  region: string,
  requestHandler: NodeHttpHandler,
) {
  const { provider } = settings;
  const client = new S3Client({
    region,
    ...(isRegional(settings.endpoint) ? {} : { endpoint: originOf(settings.endpoint) }),
    forcePathStyle: provider.pathStyle,
    credentials,
    // B2 and others refuse the checksums that the SDK would add; where they help, Ferry adds its own.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: 3,
    // Agents of our own do not wait for "100 Continue", so the header would say what is not so.
    expectContinueHeader: false,
    requestHandler,
  });
  // Inside the SDK's own retries, which wait five seconds at most whatever the server asks for.
  client.middlewareStack.add(
    (next) => async (request) => {
      try {
        return await next(request);
      } catch (thrown) {
        throw waitError(thrown) ?? thrown;
      }
    },
    { step: 'finalizeRequest', priority: 'low', name: 'obeyRetryAfter' },
  );
  // Where the server compares a CRC-32 and TLS keeps others out, a SHA-256 of the body besides proves
  // nothing more (docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html).
  client.middlewareStack.add(
    (next) => (call) => {
      const { request } = call;
      if (HttpRequest.isInstance(request) && request.headers['x-amz-checksum-crc32'] !== undefined)
        request.headers['x-amz-content-sha256'] = 'UNSIGNED-PAYLOAD';
      return next(call);
    },
    { step: 'build', name: 'leaveBodyUnsigned' },
  );
  return client;
}

/** Whether it is AWS's own name for a region or for all of them, which the SDK makes from the region. */
function isRegional({ host }: Address): boolean {
  return AWS.hosts.test(host) && /^s3(?:[.-][a-z]+(?:-[a-z]+)+-\d+)?\.amazonaws\.com$/.test(host);
}
