import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { Upload } from '@aws-sdk/lib-storage';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { findStage } from '../../infra/stages.ts';
import { DeliveryLog } from '../../local/delivery-log.ts';
import { parseLine } from '../../local/function-log.ts';
import { platformReport } from '../../local/lambda-messages.ts';
import { type LocalFerry, startLocalFerry } from '../../local/local-ferry.ts';
import { sampleBytes } from '../contract/sample.ts';
import { type OpenSshServer, startOpenSsh } from '../servers/openssh.ts';
import type { S3Server } from '../servers/s3-server.ts';
import { startSwift } from '../servers/swift.ts';

const GIB = 1024 ** 3;
/** What a worker may take, everything included, in MiB. */
const MEMORY = 256;
/** That of the transfer function tells its reports from those of others that run here. */
const { memoryMb: TRANSFER_MB } = findStage('dev').transfer;
const { signal } = new AbortController();
const lines: string[] = [];
/** Highest resident memory of a process of the transfer function, in MiB, after each invocation. */
const peaks: number[] = [];

class MemoryLog extends DeliveryLog {
  override read(line: string, now: number): void {
    super.read(line, now);
    const report = platformReport.safeParse(parseLine(line)).data?.record.metrics;
    if (report?.memorySizeMB === TRANSFER_MB) peaks.push(report.maxMemoryUsedMB);
  }
}

const log = new MemoryLog();
let scratch: string;
let ferry: LocalFerry;
let openssh: OpenSshServer;
let swift: S3Server;
let sha256: string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'ferry-large-'));
  const options = { users: [], scratch, signal, log, say: (line: string) => lines.push(line) };
  [ferry, openssh, swift] = await Promise.all([
    startLocalFerry({ ...options }),
    startOpenSsh(),
    startSwift(),
  ]);
  await swift.createBucket('archives');
  sha256 = await stageLarge();
}, 300_000);

afterAll(async () => {
  await ferry?.[Symbol.asyncDispose]();
  await openssh?.remove();
  await swift?.stop();
  await rm(scratch, { recursive: true, force: true });
});

it('a 1 GiB archive reaches OpenSSH and Swift whole, with a worker that stays small', async () => {
  const { dynamodb, name: TableName } = ferry.settingsTable;
  const destinations = {
    nas: {
      type: 'ssh',
      settings: {
        SSH_HOST_NAME: openssh.host,
        SSH_PORT: openssh.port,
        SSH_USER: openssh.user,
        SSH_PASSWORD: openssh.password,
        SSH_HOST_KEY: openssh.fingerprint,
        SSH_REMOTE_PATH: 'large',
      },
    },
    cloud: {
      type: 's3',
      settings: {
        AWS_S3_BUCKET_NAME: 'archives',
        AWS_ACCESS_KEY_ID: swift.accessKeyId,
        AWS_SECRET_ACCESS_KEY: swift.secretAccessKey,
        AWS_ENDPOINT: swift.endpoint,
        AWS_ENDPOINT_PROTO: 'http',
      },
    },
  };
  const spec = { v: 1, schedule: { cron: '* * * * *' }, destinations };
  await DynamoDBDocumentClient.from(dynamodb).send(
    new PutCommand({ TableName, Item: { userId: 'gina', spec } }),
  );
  const isPlanned = async () => {
    const { Item } = await DynamoDBDocumentClient.from(dynamodb).send(
      new GetCommand({ TableName, Key: { userId: 'gina' } }),
    );
    return Item?.status?.nextRun !== undefined;
  };
  while (!(await isPlanned())) await wait(200);
  // A tick two minutes ahead finds it due.
  await ferry.pipeline.tick(new Date(Date.now() + 120_000));
  while ((await ferry.pipeline.countMessages()) > 0) await wait(200);

  expect(lines.filter((line) => line.startsWith('!'))).toEqual([]);
  const overSsh = createReadStream(join(openssh.home, 'large/html/large.tar'));
  expect(await sha256Of(overSsh)).toBe(sha256);
  const { Body } = await swiftClient().send(
    new GetObjectCommand({ Bucket: 'archives', Key: 'html/large.tar' }),
  );
  if (!(Body instanceof Readable)) throw new Error('no body');
  expect(await sha256Of(Body)).toBe(sha256);

  expect(peaks.length).toBeGreaterThan(0);
  expect(Math.max(...peaks)).toBeLessThan(MEMORY);
}, 600_000);

/** Stages 1 GiB that nothing can compress, and tells its SHA-256. */
async function stageLarge(): Promise<string> {
  const hash = createHash('sha256');
  async function* chunks() {
    const size = 16 * 1024 ** 2;
    for (let n = 0; n * size < GIB; n++) {
      const bytes = sampleBytes(size, `large ${n}`);
      hash.update(bytes);
      yield bytes;
    }
  }
  const upload = new Upload({
    client: ferry.services.s3,
    params: {
      Bucket: ferry.stagingBucket,
      Key: 'gina/html/large.tar',
      Body: Readable.from(chunks(), { objectMode: false }),
    },
    // fauxqs takes bodies of up to 11 MiB.
    partSize: 8 * 1024 ** 2,
    queueSize: 1,
  });
  await upload.done();
  return hash.digest('hex');
}

function swiftClient(): S3Client {
  const { accessKeyId, endpoint, region, secretAccessKey } = swift;
  const credentials = { accessKeyId, secretAccessKey };
  return new S3Client({ endpoint, region, credentials, forcePathStyle: true });
}

async function sha256Of(bytes: Readable): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of bytes) hash.update(chunk);
  return hash.digest('hex');
}
