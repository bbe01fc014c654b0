import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MiB, type PartPlan, partRange, planParts } from '../../functions/core/parts.ts';
import type { Destination, RemoteFile } from '../../functions/destinations/contract.ts';
import { openS3 } from '../../functions/destinations/s3/destination.ts';
import { encodeCrc32 } from '../../functions/destinations/s3/etags.ts';
import { AWS } from '../../functions/destinations/s3/providers.ts';
import { s3Schema, toS3Settings } from '../../functions/destinations/s3/settings.ts';
import { startEmbeddedS3 } from '../servers/embedded-s3.ts';
import { type Front, startFront } from '../servers/http-front.ts';
import type { S3Server } from '../servers/s3-server.ts';
import { recordTrips } from './round-trips.ts';
import { openWith, settingsOf } from './s3-subject.ts';
import { digestOf, sampleBytes } from './sample.ts';
import { NO_SURROUNDINGS } from './surroundings.ts';

const NEVER = new AbortController().signal;
const BUCKET = 'wire';

describe('what S3 settings put on the wire', () => {
  let server: S3Server;
  let front: Front;
  let path: string;

  beforeAll(async () => {
    server = await startEmbeddedS3();
    await server.createBucket(BUCKET);
    front = await startFront(server.endpoint);
  });
  beforeEach(() => {
    front.react(() => undefined);
    path = `html/${randomBytes(4).toString('hex')}.tar`;
  });
  afterAll(async () => {
    await front.stop();
    await server.stop();
  });

  const settings = (more: Readonly<Record<string, unknown>> = {}) => ({
    ...settingsOf(server, BUCKET, front.endpoint),
    ...more,
  });
  const deliver = async (destination: Destination, bytes: Buffer, plan: PartPlan) => {
    const before = front.seen.length;
    const file: RemoteFile = { path, size: bytes.length, transferId: '0123456789abcdef' };
    const upload = await destination.begin(file, plan, NEVER);
    for (let number = 0; number < plan.count; number++) {
      const range = partRange(plan, number);
      const part = bytes.subarray(range.offset, range.offset + range.length);
      await upload.writePart({ ...range, bytes: part }, NEVER);
    }
    const proof = await upload.finish(digestOf(bytes), NEVER);
    await destination.close();
    return { proof, seen: front.seen.slice(before) };
  };
  const small = sampleBytes(1000, 'small');
  const onePart: PartPlan = { size: 1000, partSize: 5 * MiB, count: 1 };
  const large = sampleBytes(5 * MiB + 99, 'large');
  const twoParts: PartPlan = { size: large.length, partSize: 5 * MiB, count: 2 };
  /** The embedded server, taken for AWS. */
  const openAsAws = async (more: Readonly<Record<string, unknown>> = {}) => {
    const parsed = toS3Settings(s3Schema.parse(settings(more)));
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    return openS3({ ...parsed.value, provider: { ...AWS, pathStyle: true } }, NO_SURROUNDINGS);
  };

  it('AWS_S3_PATH: objects go into that folder, with or without slashes around it', async () => {
    for (const folder of ['nightly/x', '/nightly/x/']) {
      const destination = await openWith(settings({ AWS_S3_PATH: folder }));
      const { proof, seen } = await deliver(destination, small, onePart);
      expect(seen.find((one) => one.method === 'PUT')?.path).toBe(`/${BUCKET}/nightly/x/${path}`);
      expect(proof.remotePath).toBe(`s3://${BUCKET}/nightly/x/${path}`);
    }
  });

  it('what does not wait for each other is asked at the same time', async () => {
    const destination = await openWith(settings({ AWS_REGION: 'us-east-1' }));
    const trips = recordTrips(front, ({ method, query }) => {
      return [method, ...[...query.keys()].filter((name) => name !== 'x-id')].join(' ');
    });
    await deliver(destination, large, twoParts);
    expect(trips()).toEqual([
      ['POST uploads'],
      ['PUT partNumber uploadId'],
      ['PUT partNumber uploadId'],
      ['POST uploadId'],
      ['GET prefix uploads', 'HEAD'],
    ]);
  });

  it('AWS_ACCESS_KEY_ID and AWS_REGION: requests are signed with both', async () => {
    const destination = await openWith(settings({ AWS_REGION: 'mars-north-1' }));
    const { seen } = await deliver(destination, small, onePart);
    for (const { headers } of seen) {
      expect(headers.authorization).toMatch(/Credential=embedded\/\d+\/mars-north-1\/s3\//);
    }
    expect(seen.some((one) => one.query.has('location'))).toBe(false);
  });

  it('no AWS_REGION: the server is asked once, and its answer used', async () => {
    const xmlns = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';
    const answers = { 'mars-north-1': 'mars-north-1', 'us-east-1': '' };
    for (const [region, told] of Object.entries(answers)) {
      const body = `<LocationConstraint ${xmlns}>${told}</LocationConstraint>`;
      front.react(({ query }) => (query.has('location') ? { status: 200, body } : undefined));
      const { seen } = await deliver(await openWith(settings()), small, onePart);
      expect(seen.filter((one) => one.query.has('location'))).toHaveLength(1);
      expect(seen.at(-1)?.headers.authorization).toContain(`/${region}/s3/`);
    }
  });

  it('no AWS_REGION: AWS tells it in a header, even to a key that may not ask', async () => {
    front.react(({ method, path: asked }) =>
      method === 'HEAD' && asked === `/${BUCKET}/`
        ? { status: 403, headers: { 'x-amz-bucket-region': 'eu-south-2' } }
        : undefined,
    );
    const { seen } = await deliver(await openAsAws(), small, onePart);
    expect(seen.at(-1)?.headers.authorization).toContain('/eu-south-2/s3/');
  });

  it('AWS_STORAGE_CLASS: named with each kind of upload, by any name that the server may know', async () => {
    const destination = () => openWith(settings({ AWS_STORAGE_CLASS: 'ONEZONE_GLACIAL' }));
    const single = await deliver(await destination(), small, onePart);
    const multiple = await deliver(await destination(), large, twoParts);
    const creating = [...single.seen, ...multiple.seen].filter(
      (one) =>
        (one.method === 'POST' && one.query.has('uploads')) ||
        (one.path.endsWith(path) && one.method === 'PUT' && !one.query.has('uploadId')),
    );
    expect(creating.map((one) => one.headers['x-amz-storage-class'])).toEqual([
      'ONEZONE_GLACIAL',
      'ONEZONE_GLACIAL',
    ]);
  });

  it('AWS_PART_SIZE: parts have that size, and more where the archive needs it', async () => {
    const part = async (value: unknown, host?: string) => {
      const at = host === undefined ? {} : { AWS_ENDPOINT: host };
      const destination = await openWith(settings({ AWS_PART_SIZE: value, ...at }));
      return (await destination.capabilities(NEVER)).part;
    };
    const size = async (value: unknown, bytes: number, host?: string) =>
      planParts(bytes, await part(value, host), 5120 * MiB).partSize / MiB;
    expect(await size('64', 1000 * MiB)).toBe(64);
    expect(await size(0, 1000 * MiB)).toBe(8);
    expect(await size('5', 100_000 * MiB)).toBe(10);
    expect(await size('5120', 1 * MiB)).toBe(5120);
    expect(await size('5', 100_000 * MiB, 's3.fr-par.scw.cloud')).toBe(100);
  });

  it('a part size larger than the archive is no error: one request carries it', async () => {
    const destination = await openWith(settings({ AWS_PART_SIZE: '100' }));
    const plan = planParts(large.length, (await destination.capabilities(NEVER)).part, 128 * MiB);
    const { seen } = await deliver(destination, large, plan);
    expect(seen.filter((one) => one.method === 'PUT')).toHaveLength(1);
  });

  it('compatible servers get the signed SHA-256 of each body, and no checksum of another kind', async () => {
    const { seen, proof } = await deliver(await openWith(settings()), large, twoParts);
    const parts = seen.filter((one) => one.method === 'PUT');
    expect(parts).toHaveLength(2);
    for (const { headers, sha256 } of parts) {
      expect(headers['x-amz-content-sha256']).toBe(sha256);
      expect(headers.authorization).toContain('x-amz-content-sha256');
    }
    for (const { headers } of seen) {
      expect(Object.keys(headers).filter((name) => /checksum|trailer|expect/.test(name))).toEqual(
        [],
      );
    }
    expect(proof.verified).toBe('checksum');
    expect(proof.how).toContain('signed SHA-256');
  });

  it('AWS gets the CRC-32 of each part and of the whole object besides', async () => {
    const { seen, proof } = await deliver(await openAsAws(), large, twoParts);
    const created = seen.find((one) => one.query.has('uploads'));
    expect(created?.headers).toMatchObject({
      'x-amz-checksum-algorithm': 'CRC32',
      'x-amz-checksum-type': 'FULL_OBJECT',
      'x-amz-meta-ferry-transfer': '0123456789abcdef',
    });
    const parts = seen.filter((one) => one.method === 'PUT');
    expect(parts.map((one) => one.headers['x-amz-checksum-crc32'])).toEqual([
      encodeCrc32(digestOf(large.subarray(0, 5 * MiB)).crc32),
      encodeCrc32(digestOf(large.subarray(5 * MiB)).crc32),
    ]);
    for (const one of parts) expect(one.headers['x-amz-content-sha256']).toBe('UNSIGNED-PAYLOAD');
    const completed = seen.find((one) => one.method === 'POST' && one.query.has('uploadId'));
    expect(completed?.headers).toMatchObject({
      'x-amz-checksum-crc32': encodeCrc32(digestOf(large).crc32),
      'x-amz-checksum-type': 'FULL_OBJECT',
      'x-amz-mp-object-size': `${large.length}`,
    });
    const looked = seen.findLast((one) => one.method === 'HEAD');
    expect(looked?.headers['x-amz-checksum-mode']).toBe('ENABLED');
    expect(proof.checksum).toMatch(/^[0-9a-f]{32}-2$/);
    expect(proof.how).toMatch(/a CRC-32 of every part/);
    expect(proof.how).not.toContain('SHA-256');
  });

  it('AWS gets the CRC-32 of a file that goes in one request', async () => {
    const { seen, proof } = await deliver(await openAsAws(), small, onePart);
    const put = seen.find((one) => one.method === 'PUT');
    expect(put?.headers['x-amz-checksum-crc32']).toBe(encodeCrc32(digestOf(small).crc32));
    expect(put?.headers['x-amz-meta-ferry-transfer']).toBe('0123456789abcdef');
    expect(proof.how).toContain('CRC-32 of the whole object');
  });

  it.each([
    ['size', { 'content-length': '7' }],
    ['checksum', { 'x-amz-checksum-crc32': 'AAAAAA==', 'x-amz-checksum-type': 'FULL_OBJECT' }],
    ['ETag', { etag: '"00000000000000000000000000000000-2"' }],
  ])(
    'a finished object whose %s is not what was sent is reported and removed',
    async (_what, wrong) => {
      front.react(({ method, path: asked }) =>
        method === 'HEAD' && asked.endsWith(path)
          ? {
              status: 200,
              headers: {
                'content-length': `${large.length}`,
                'x-amz-meta-ferry-transfer': '0123456789abcdef',
                etag: '"x"',
                'last-modified': new Date().toUTCString(),
                ...wrong,
              },
            }
          : undefined,
      );
      const destination = await openAsAws();
      await expect(deliver(destination, large, twoParts)).rejects.toMatchObject({
        code: 'corrupted',
        scope: 'archive',
      });
      expect(front.seen.at(-1)).toMatchObject({ method: 'DELETE', path: `/${BUCKET}/${path}` });
      await destination.close();
    },
  );

  it('an ETag that the provider is known to make up is no reason to fail', async () => {
    front.react(({ method, path: asked }) =>
      method === 'HEAD' && asked.endsWith(path)
        ? { status: 200, headers: { 'content-length': `${large.length}`, etag: '"random-2"' } }
        : undefined,
    );
    const { proof } = await deliver(await openWith(settings()), large, twoParts);
    expect(proof.how).not.toContain('ETag');
  });

  it('an older kind of server is listed page by page in its own way', async () => {
    front.react(({ query }) => {
      if (query.get('prefix') === null) return undefined;
      const key = query.get('marker') === null ? 'a/1' : 'a/2';
      const more = key === 'a/1';
      return {
        status: 200,
        body: `<ListBucketResult><IsTruncated>${more}</IsTruncated><Contents><Key>${key}</Key><Size>1</Size><LastModified>2026-01-01T00:00:00Z</LastModified></Contents></ListBucketResult>`,
      };
    });
    const destination = await openWith(settings());
    const paths: string[] = [];
    for await (const file of destination.list('a', NEVER)) paths.push(file.path);
    expect(paths).toEqual(['a/1', 'a/2']);
    await destination.close();
  });

  it('nothing outside AWS_S3_PATH is listed, nor a folder whose name only begins alike', async () => {
    const put = async (folder: string, name: string) => {
      path = name;
      await deliver(await openWith(settings({ AWS_S3_PATH: folder })), small, onePart);
    };
    await put('mine', 'a/in.tar');
    await put('mine', 'a-old/out.tar');
    await put('mine-too', 'a/out.tar');
    await put('', 'a/out.tar');
    const destination = await openWith(settings({ AWS_S3_PATH: 'mine' }));
    const paths: string[] = [];
    for await (const file of destination.list('a', NEVER)) paths.push(file.path);
    expect(paths).toEqual(['a/in.tar']);
    await destination.close();
  });
});
