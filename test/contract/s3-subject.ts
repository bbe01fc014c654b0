import { once } from 'node:events';
import { createServer } from 'node:net';
import {
  AbortMultipartUploadCommand,
  GetObjectCommand,
  ListPartsCommand,
  paginateListObjectsV2,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { MiB } from '../../functions/core/parts.ts';
import { NO_LIMITS } from '../../functions/core/policy.ts';
import type { Destination } from '../../functions/destinations/contract.ts';
import { parseDestination } from '../../functions/destinations/registry.ts';
import type { Surroundings } from '../../functions/destinations/surroundings.ts';
import { type Front, type React, startFront } from '../servers/http-front.ts';
import type { S3Server } from '../servers/s3-server.ts';
import type { NotHere, Subject } from './subject.ts';
import { NO_SURROUNDINGS } from './surroundings.ts';

const BUCKET = 'contract';
const FOLDER = 'backups/of us';
const WRONG_SECRET = 'not-the-secret-key';

/** Opens a destination from settings as a user writes them. */
export async function openWith(
  settings: Readonly<Record<string, unknown>>,
  surroundings: Surroundings = NO_SURROUNDINGS,
): Promise<Destination> {
  const parsed = parseDestination('s3', settings, NO_LIMITS);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.value.open(surroundings);
}

/** Settings of a bucket on a server, reached at `endpoint`. */
export function settingsOf(server: S3Server, bucket: string, endpoint = server.endpoint) {
  return {
    AWS_S3_BUCKET_NAME: bucket,
    AWS_ACCESS_KEY_ID: server.accessKeyId,
    AWS_SECRET_ACCESS_KEY: server.secretAccessKey,
    AWS_ENDPOINT: endpoint,
  };
}

/** Client of the SDK, for looking at a server without Ferry's code. */
export function plainClient(server: S3Server): S3Client {
  return new S3Client({
    endpoint: server.endpoint,
    region: server.region,
    credentials: { accessKeyId: server.accessKeyId, secretAccessKey: server.secretAccessKey },
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
  });
}

interface Unfinished {
  readonly Key: string;
  readonly UploadId: string;
}

/** What passed a front and was begun but neither completed nor aborted. */
export function unfinished(front: Front, bucket: string): Unfinished[] {
  const open = new Map<string, Unfinished>();
  for (const { method, path, query, answer } of front.seen) {
    const created = /<UploadId>(.+?)<\/UploadId>/.exec(answer?.text ?? '')?.[1];
    const ended = query.get('uploadId');
    if (method === 'POST' && query.has('uploads') && created !== undefined) {
      open.set(created, { Key: path.slice(bucket.length + 2), UploadId: created });
    } else if (ended !== null && (method === 'POST' || method === 'DELETE')) {
      if (answer && answer.status < 300) open.delete(ended);
    }
  }
  return [...open.values()];
}

/** What a server cannot do, and why a case is left out for it. */
interface Lacking {
  readonly signatures?: NotHere;
  readonly checksums?: NotHere;
  readonly listParts?: NotHere;
}

/** An S3 server as a subject of the conformance suite. */
export async function s3Subject(
  server: S3Server,
  lacks: Lacking,
  listPage: number,
): Promise<Subject> {
  await server.createBucket(BUCKET);
  const front = await startFront(server.endpoint);
  const client = plainClient({ ...server, endpoint: front.endpoint });
  const spoiled: Front[] = [];
  const silent = createServer(() => {}).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const address = silent.address();
  const silentPort = typeof address === 'object' && address !== null ? address.port : 0;
  const at = (endpoint: string) =>
    openWith({ ...settingsOf(server, BUCKET, endpoint), AWS_S3_PATH: FOLDER });
  const openSpoiled = async (react: React) => {
    const front = await startFront(server.endpoint);
    spoiled.push(front);
    front.react(react);
    return at(front.endpoint);
  };
  const inFolder = (key: string) =>
    key.startsWith(`${FOLDER}/`) ? [key.slice(FOLDER.length + 1)] : [];

  return {
    open: () => at(front.endpoint),
    openRefused:
      lacks.signatures ??
      (() =>
        openWith({
          ...settingsOf(server, BUCKET),
          AWS_S3_PATH: FOLDER,
          AWS_SECRET_ACCESS_KEY: WRONG_SECRET,
        })),
    openCorrupting:
      lacks.checksums ??
      (async () => {
        let passed = 0;
        return openSpoiled(({ method }, body) => {
          passed += body.length;
          if (method !== 'PUT' || passed <= MiB) return undefined;
          body.writeUInt8(body.readUInt8(body.length / 2) ^ 1, body.length / 2);
          return body;
        });
      }),
    shortenUnfinished:
      lacks.listParts ??
      (async () => {
        for (const upload of unfinished(front, BUCKET)) {
          const target = { Bucket: BUCKET, ...upload };
          const { Parts = [] } = await client.send(new ListPartsCommand(target));
          const { PartNumber, Size = 0 } = Parts.at(-1) ?? {};
          const Body = Buffer.alloc(Size - 1);
          await client.send(new UploadPartCommand({ ...target, PartNumber, Body }));
        }
      }),
    listPage,
    openSilent: () => at(`http://127.0.0.1:${silentPort}`),
    openFull: async () => {
      let room = 8 * MiB;
      return openSpoiled(({ method, bytes }) => {
        if (method !== 'PUT') return undefined;
        room -= bytes;
        return room < 0
          ? { status: 507, body: '<Error><Code>InsufficientStorage</Code></Error>' }
          : undefined;
      });
    },
    openBusy: (status) => openSpoiled(() => ({ status, headers: { 'retry-after': '7' } })),
    async readDirectly(path) {
      const input = { Bucket: BUCKET, Key: `${FOLDER}/${path}` };
      try {
        const { Body } = await client.send(new GetObjectCommand(input));
        return Buffer.from((await Body?.transformToByteArray()) ?? []);
      } catch (error) {
        if (error instanceof Error && error.name === 'NoSuchKey') return undefined;
        throw error;
      }
    },
    async listDirectly() {
      const keys: string[] = [];
      for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket: BUCKET })) {
        keys.push(...Contents.flatMap(({ Key = '' }) => inFolder(Key)));
      }
      const begun = unfinished(front, BUCKET).map(({ Key, UploadId }) => `${Key}?${UploadId}`);
      return [...keys, ...begun];
    },
    async loseUnfinished() {
      for (const upload of unfinished(front, BUCKET)) {
        await client.send(new AbortMultipartUploadCommand({ Bucket: BUCKET, ...upload }));
      }
    },
    secrets: [server.accessKeyId, server.secretAccessKey, WRONG_SECRET, 'Signature='],
    async stop() {
      client.destroy();
      await Promise.all([front, ...spoiled].map((one) => one.stop()));
      silent.close();
      await server.stop();
    },
  };
}
