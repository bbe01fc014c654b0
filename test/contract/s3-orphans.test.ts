import { ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { MiB } from '../../functions/core/parts.ts';
import { NEVER } from '../../functions/core/stopping.ts';
import type { Destination, RemoteFile } from '../../functions/destinations/contract.ts';
import type { S3Server } from '../servers/s3-server.ts';
import { startSwift } from '../servers/swift.ts';
import { openWith, plainClient, settingsOf } from './s3-subject.ts';

const BUCKET = 'orphans';
const PLAN = { size: 11 * MiB, partSize: 5 * MiB, count: 3 };
const HOUR_MS = 3600 * 1000;

let server: S3Server;
let destination: Destination;

beforeAll(async () => {
  server = await startSwift();
  await server.createBucket(BUCKET);
  destination = await openWith(settingsOf(server, BUCKET));
});
afterAll(async () => {
  await destination.close();
  await server.stop();
});

const fileOf = (path: string): RemoteFile => ({
  path,
  size: PLAN.size,
  transferId: '0123456789abcdef',
});
const unfinished = async () => {
  const client = plainClient(server);
  const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: BUCKET }));
  client.destroy();
  return Uploads.map(({ Key }) => Key).sort();
};
const begin = (file: RemoteFile) => destination.begin(file, PLAN, NEVER);

it('what a process began and could not tell of is aborted when the file is begun again', async () => {
  const startedAt = new Date();
  for (const path of ['html/a.tar', 'html/a.tar', 'html/a.tar.old', 'mail/a.tar']) {
    await begin(fileOf(path));
  }
  const upload = await begin({ ...fileOf('html/a.tar'), begunBefore: startedAt });
  expect(await unfinished()).toEqual(['html/a.tar', 'html/a.tar.old', 'mail/a.tar']);
  await upload.abort();
  expect(await unfinished()).toEqual(['html/a.tar.old', 'mail/a.tar']);
});

it('what is older than the transfer is not ours, and stays', async () => {
  await begin(fileOf('html/b.tar'));
  const upload = await begin({
    ...fileOf('html/b.tar'),
    begunBefore: new Date(Date.now() + HOUR_MS),
  });
  await upload.abort();
  expect((await unfinished()).filter((key) => key === 'html/b.tar')).toHaveLength(1);
});
