import {
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { MiB, type PartPlan, partRange } from '../../functions/core/parts.ts';
import { NEVER } from '../../functions/core/stopping.ts';
import type { Destination, RemoteFile } from '../../functions/destinations/contract.ts';
import { type Front, startFront } from '../servers/http-front.ts';
import type { S3Server } from '../servers/s3-server.ts';
import { startSwift } from '../servers/swift.ts';
import { openWith, plainClient, settingsOf } from './s3-subject.ts';
import { digestOf, sampleBytes } from './sample.ts';

const BUCKET = 'abandoned';
const BYTES = sampleBytes(5 * MiB + 77, 'abandoned');
const PLAN: PartPlan = { size: BYTES.length, partSize: 5 * MiB, count: 2 };

let server: S3Server;
let front: Front;
let client: S3Client;
let destination: Destination;
let file: RemoteFile;
let files = 0;

beforeAll(async () => {
  server = await startSwift();
  await server.createBucket(BUCKET);
  front = await startFront(server.endpoint);
  client = plainClient(server);
  destination = await openWith(settingsOf(server, BUCKET, front.endpoint));
});
beforeEach(() => {
  files += 1;
  front.react(() => undefined);
  const transferId = `${files}`.padStart(16, '0');
  file = { path: `html/${files}.tar`, size: BYTES.length, transferId };
});
afterAll(async () => {
  await destination.close();
  client.destroy();
  await front.stop();
  await server.stop();
});

const deliver = async () => {
  const upload = await destination.begin(file, PLAN, NEVER);
  for (let number = 0; number < PLAN.count; number++) {
    const range = partRange(PLAN, number);
    const bytes = BYTES.subarray(range.offset, range.offset + range.length);
    await upload.writePart({ ...range, bytes }, NEVER);
  }
  return upload.finish(digestOf(BYTES), NEVER);
};
const unfinished = async () => {
  const answer = await client.send(new ListMultipartUploadsCommand({ Bucket: BUCKET }));
  return (answer.Uploads ?? []).map(({ Key }) => Key);
};

it('an upload whose beginning was never answered does not stay', async () => {
  let lost = 0;
  front.react(({ method, query }) => {
    if (method !== 'POST' || !query.has('uploads') || lost > 0) return undefined;
    lost += 1;
    return 'lose-answer';
  });
  expect(await deliver()).toMatchObject({ size: BYTES.length });
  expect(lost).toBe(1);
  expect(await unfinished()).toEqual([]);
});

it('what was begun and not told of goes when the upload is given up, and nothing of another name', async () => {
  const other = { ...file, path: `${file.path}.old` };
  for (const begun of [file, file, other]) await destination.begin(begun, PLAN, NEVER);
  const upload = await destination.begin(file, PLAN, NEVER);
  await upload.abort();
  expect(await unfinished()).toEqual([other.path]);
  await (await destination.begin(other, PLAN, NEVER)).abort();
  expect(await unfinished()).toEqual([]);
});

it('an upload of the same name that has parts is not ours to end, nor one of another name', async () => {
  const target = { Bucket: BUCKET, Key: file.path };
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(target));
  const part = { ...target, UploadId, PartNumber: 1, Body: Buffer.alloc(5 * MiB) };
  await client.send(new UploadPartCommand(part));
  const other = { ...target, Key: `${file.path}.other` };
  await client.send(new CreateMultipartUploadCommand(other));
  await deliver();
  expect((await unfinished()).sort()).toEqual([file.path, other.Key].sort());
});

it('a server that tells of no uploads keeps nothing from being delivered', async () => {
  for (const status of [403, 501, 500]) {
    front.react(({ method, query }) =>
      method === 'GET' && query.has('uploads') ? { status } : undefined,
    );
    expect(await deliver()).toMatchObject({ size: BYTES.length });
  }
});
