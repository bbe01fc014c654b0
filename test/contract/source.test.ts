import { once } from 'node:events';
import { createServer } from 'node:net';
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { StagedArchive } from '../../functions/core/archive.ts';
import { FerryError } from '../../functions/core/errors.ts';
import { MiB } from '../../functions/core/parts.ts';
import { openStaging, type Staging } from '../../functions/source/staging.ts';
import { startEmbeddedS3 } from '../servers/embedded-s3.ts';
import { type Front, startFront } from '../servers/http-front.ts';
import type { S3Server } from '../servers/s3-server.ts';
import { failure } from './failure.ts';
import { plainClient } from './s3-subject.ts';
import { digestOf, sampleBytes } from './sample.ts';

const BUCKET = 'staging';
const NEVER = new AbortController().signal;
const KEY = 'alice/html/site.tar.zst';

describe('the staging bucket', () => {
  let server: S3Server;
  let front: Front;
  let client: S3Client;
  let behind: S3Client;
  let source: Staging;

  beforeAll(async () => {
    server = await startEmbeddedS3();
    await server.createBucket(BUCKET);
    front = await startFront(server.endpoint);
    client = plainClient({ ...server, endpoint: front.endpoint });
    behind = plainClient(server);
    source = openStaging(client, BUCKET);
  });
  beforeEach(() => front.react(() => undefined));
  afterAll(async () => {
    client.destroy();
    behind.destroy();
    await front.stop();
    await server.stop();
  });

  const stage = async (Key: string, Body: Buffer, ChecksumCRC32?: string) => {
    await behind.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body, ChecksumCRC32 }));
  };
  const listed = async (userId: string) => {
    const found: StagedArchive[] = [];
    for await (const archive of source.list(userId, NEVER)) found.push(archive);
    return found;
  };
  const find = async (key = KEY): Promise<StagedArchive> => {
    const found = (await listed(key.slice(0, key.indexOf('/')))).find((one) => one.key === key);
    if (!found) throw new Error(`${key} is not listed`);
    return found;
  };
  const stagePinned = async (bytes: Buffer, key = KEY) => {
    await stage(key, bytes);
    return source.pin(await find(key), NEVER);
  };
  const readAll = async (archive: Awaited<ReturnType<Staging['pin']>>, signal = NEVER) =>
    source.read(archive, { offset: 0, length: archive.size }, Buffer.alloc(archive.size), signal);
  const ranges = (from: number) =>
    front.seen
      .slice(from)
      .filter((one) => one.headers.range)
      .map((one) => one.headers.range);

  it('lists what lies under user and component, in order and beyond one page, and nothing else', async () => {
    const names = Array.from(
      { length: 1001 },
      (_, n) => `bob/mail/${String(n).padStart(4, '0')}.tar`,
    );
    for (const name of names) await stage(name, Buffer.from(name));
    for (const other of [
      'bob/readme.txt',
      'bob/mail/',
      'bobby/mail/x.tar',
      'bob',
      'x/bob/mail/y.tar',
    ]) {
      await stage(other, Buffer.from('no archive'));
    }
    await stage('bob/vhosts/deep/er.tar', Buffer.from('deep'));
    const found = await listed('bob');
    expect(found.map((one) => one.key)).toEqual([...names, 'bob/vhosts/deep/er.tar']);
    expect(found.at(-1)).toMatchObject({ component: 'vhosts', file: 'deep/er.tar', size: 4 });
  });

  it('pins the CRC-32 of an archive that was uploaded with one', async () => {
    const bytes = sampleBytes(1000, 'crc');
    const crc32 = Buffer.alloc(4);
    crc32.writeUInt32BE(digestOf(bytes).crc32);
    await stage('alice/mysql/crc.sql', bytes, crc32.toString('base64'));
    const pinned = await source.pin(await find('alice/mysql/crc.sql'), NEVER);
    expect(pinned.checksum).toEqual({ algorithm: 'crc32', value: digestOf(bytes).crc32 });
  });

  it('pins no checksum where it is only one of the parts', async () => {
    const target = { Bucket: BUCKET, Key: 'alice/mysql/parts.sql' };
    const { UploadId } = await behind.send(
      new CreateMultipartUploadCommand({ ...target, ChecksumAlgorithm: 'CRC32' }),
    );
    const part = { ...target, UploadId, PartNumber: 1, Body: Buffer.from('abc') };
    const { ETag, ChecksumCRC32 } = await behind.send(
      new UploadPartCommand({ ...part, ChecksumCRC32: 'NSRBwg==' }),
    );
    const Parts = [{ PartNumber: 1, ETag, ChecksumCRC32 }];
    await behind.send(
      new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload: { Parts } }),
    );
    expect((await source.pin(await find(target.Key), NEVER)).checksum).toBeUndefined();
  });

  it('refuses to pin what was replaced or removed since it was listed', async () => {
    await stage(KEY, Buffer.from('first'));
    const archive = await find();
    await stage(KEY, Buffer.from('other'));
    expect(await failure(source.pin(archive, NEVER))).toMatchObject({
      code: 'source-changed',
      retry: 'later',
      scope: 'archive',
    });
    await behind.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: KEY }));
    expect(await failure(source.pin(archive, NEVER))).toMatchObject({ code: 'source-missing' });
  });

  it('reads any range into the start of the given buffer', async () => {
    const bytes = sampleBytes(100_000, 'ranges');
    const archive = await stagePinned(bytes);
    const into = Buffer.alloc(64_000, 7);
    const view = await source.read(archive, { offset: 50_000, length: 50_000 }, into, NEVER);
    expect(view).toEqual(bytes.subarray(50_000));
    expect(front.seen.at(-1)?.headers['if-match']).toBe(archive.etag);
    expect(view.buffer).toBe(into.buffer);
    expect(into.subarray(50_000)).toEqual(Buffer.alloc(14_000, 7));
    expect(await source.read(archive, { offset: 0, length: 0 }, into, NEVER)).toHaveLength(0);
  });

  it('goes on from the byte it reached when a body breaks in the middle', async () => {
    const bytes = sampleBytes(2 * MiB, 'cut');
    const archive = await stagePinned(bytes);
    const before = front.seen.length;
    let cuts = 2;
    front.react(({ headers }) => (headers.range && cuts-- > 0 ? 'cut-answer' : undefined));
    expect(digestOf(await readAll(archive))).toEqual(digestOf(bytes));
    expect(ranges(before)).toEqual([
      `bytes=0-${2 * MiB - 1}`,
      `bytes=${MiB}-${2 * MiB - 1}`,
      `bytes=${1.5 * MiB}-${2 * MiB - 1}`,
    ]);
  });

  it('never mixes two contents when the archive is replaced in mid-read', async () => {
    const archive = await stagePinned(sampleBytes(MiB, 'old'));
    let reads = 0;
    front.react(async ({ headers }) => {
      if (!headers.range) return undefined;
      reads += 1;
      if (reads === 1) return 'cut-answer';
      await stage(KEY, sampleBytes(MiB, 'new'));
      return undefined;
    });
    expect(await failure(readAll(archive))).toMatchObject({
      code: 'source-changed',
      retry: 'later',
      scope: 'archive',
    });
    expect(reads).toBe(2);
  });

  it('notices a server that ignores the range', async () => {
    const archive = await stagePinned(sampleBytes(1000, 'no range'));
    front.react(({ headers }) =>
      headers.range ? { status: 200, body: 'x'.repeat(500) } : undefined,
    );
    const reading = source.read(archive, { offset: 500, length: 500 }, Buffer.alloc(500), NEVER);
    expect(await failure(reading)).toMatchObject({ code: 'source-changed' });
  });

  it('gives up after a few attempts when no byte arrives any more', async () => {
    const archive = await stagePinned(sampleBytes(1000, 'broken'));
    const before = front.seen.length;
    front.react(() => ({ status: 500 }));
    expect(await failure(readAll(archive))).toMatchObject({
      code: 'source-unreadable',
      retry: 'later',
      scope: 'archive',
    });
    expect(front.seen.length - before).toBeLessThan(20);
  });

  it.each([
    ['AccessDenied', /s3:GetObject/],
    ['KMS.DisabledException', /kms:Decrypt/],
  ])('tells the operator what to allow when S3 answers %s', async (code, words) => {
    const archive = await stagePinned(sampleBytes(1000, code));
    const before = front.seen.length;
    front.react(() => ({ status: 403, body: `<Error><Code>${code}</Code></Error>` }));
    const error = await failure(readAll(archive));
    expect(error).toMatchObject({ code: 'source-unreadable', retry: 'later' });
    expect(error.message).toMatch(words);
    expect(ranges(before)).toHaveLength(1);
  });

  it('gives a small text by its path below the user, and nobody else what is staged there', async () => {
    const put = (Key: string, Body: string) =>
      behind.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body }));
    await put('alice/.ferry/id_ed25519', 'the key\n');
    await put('alice/.ferry/huge', 'x'.repeat(64 * 1024 + 1));
    expect(await source.readText('alice', '.ferry/id_ed25519', NEVER)).toBe('the key\n');
    expect(await source.readText('bob', '.ferry/id_ed25519', NEVER)).toBeUndefined();
    const error = await failure(source.readText('alice', '.ferry/huge', NEVER));
    expect(error).toMatchObject({ code: 'setting-invalid', retry: 'never' });
    const archives: string[] = [];
    for await (const { key } of source.list('alice', NEVER)) archives.push(key);
    expect(archives.filter((key) => key.includes('.ferry'))).toEqual([]);
  });

  it('stops within a second when it is told to, also while nothing arrives', async () => {
    const archive = await stagePinned(sampleBytes(1000, 'stopped'));
    const silent = createServer(() => {}).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const address = silent.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const mute = plainClient({ ...server, endpoint: `http://127.0.0.1:${port}` });
    const stopping = new AbortController();
    const reading = failure(
      openStaging(mute, BUCKET).read(
        archive,
        { offset: 0, length: 1000 },
        Buffer.alloc(1000),
        stopping.signal,
      ),
    );
    setTimeout(
      () => stopping.abort(new FerryError('lease-lost', 'Stopped.', { retry: 'later' })),
      200,
    );
    const startedAt = performance.now();
    expect((await reading).code).toBe('lease-lost');
    expect(performance.now() - startedAt).toBeLessThan(1200);
    mute.destroy();
    silent.close();
  });
});
