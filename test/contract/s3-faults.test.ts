import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MiB, type PartPlan, partRange } from '../../functions/core/parts.ts';
import type { Destination, RemoteFile, Upload } from '../../functions/destinations/contract.ts';
import { partEtag } from '../../functions/destinations/s3/etags.ts';
import { startEmbeddedS3 } from '../servers/embedded-s3.ts';
import { type Front, type Seen, startFront } from '../servers/http-front.ts';
import type { S3Server } from '../servers/s3-server.ts';
import { failure } from './failure.ts';
import { openWith, settingsOf, unfinished } from './s3-subject.ts';
import { digestOf, sampleBytes } from './sample.ts';

const NEVER = new AbortController().signal;
const BUCKET = 'faults';
const BYTES = sampleBytes(5 * MiB + 77, 'faults');
const PLAN: PartPlan = { size: BYTES.length, partSize: 5 * MiB, count: 2 };

const isComplete = ({ method, query }: Seen) => method === 'POST' && query.has('uploadId');
const isList = ({ method, query }: Seen) => method === 'GET' && query.has('uploadId');
const refusal = (status: number, code: string, message = '') => ({
  status,
  body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`,
});

describe('S3 when things go wrong', () => {
  let server: S3Server;
  let front: Front;
  let destination: Destination;
  let file: RemoteFile;

  beforeAll(async () => {
    server = await startEmbeddedS3();
    await server.createBucket(BUCKET);
    front = await startFront(server.endpoint);
    destination = await openWith(settingsOf(server, BUCKET, front.endpoint));
  });
  beforeEach(() => {
    front.react(() => undefined);
    const name = randomBytes(8).toString('hex');
    file = { path: `html/${name}.tar`, size: BYTES.length, transferId: name };
  });
  afterAll(async () => {
    await destination.close();
    await front.stop();
    await server.stop();
  });

  const write = async (upload: Upload, number: number) => {
    const range = partRange(PLAN, number);
    const bytes = BYTES.subarray(range.offset, range.offset + range.length);
    await upload.writePart({ ...range, bytes }, NEVER);
  };
  const begun = async () => {
    const upload = await destination.begin(file, PLAN, NEVER);
    await write(upload, 0);
    await write(upload, 1);
    return upload;
  };
  const stored = async () => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of destination.read(file.path, NEVER)) chunks.push(chunk);
    return digestOf(Buffer.concat(chunks));
  };
  const abandon = async (upload: Upload) => {
    front.react(() => undefined);
    await upload.abort();
  };

  it('the answer to completion is lost: the finished object is found and proven', async () => {
    const upload = await begun();
    front.react((seen) => (isComplete(seen) ? 'lose-answer' : undefined));
    expect(await upload.finish(digestOf(BYTES), NEVER)).toMatchObject({ size: BYTES.length });
    expect(await stored()).toEqual(digestOf(BYTES));
  });

  it('completion answers 200 and then an error: nothing is declared done', async () => {
    const upload = await begun();
    front.react((seen) =>
      isComplete(seen) ? { ...refusal(200, 'InternalError'), status: 200 } : undefined,
    );
    const error = await failure(upload.finish(digestOf(BYTES), NEVER));
    expect(error.retry).toBe('later');
    expect(await destination.stat(file.path, NEVER)).toBeUndefined();
    front.react(() => undefined);
    expect(await upload.finish(digestOf(BYTES), NEVER)).toMatchObject({ verified: 'checksum' });
  });

  it('an older object under the name is not taken for the lost answer', async () => {
    const older = await destination.begin(
      { ...file, transferId: 'another' },
      { ...PLAN, count: 1, partSize: PLAN.size },
      NEVER,
    );
    await older.writePart({ number: 0, offset: 0, length: BYTES.length, bytes: BYTES }, NEVER);
    await older.finish(digestOf(BYTES), NEVER);
    const upload = await begun();
    front.react((seen) => (isComplete(seen) ? refusal(500, 'InternalError') : undefined));
    expect((await failure(upload.finish(digestOf(BYTES), NEVER))).code).toBe('server-error');
    await abandon(upload);
  });

  it('the server no longer has a part: the upload is started again', async () => {
    const upload = await begun();
    front.react((seen) => (isComplete(seen) ? refusal(400, 'InvalidPart') : undefined));
    expect(await failure(upload.finish(digestOf(BYTES), NEVER))).toMatchObject({
      code: 'upload-lost',
      retry: 'now',
    });
    await abandon(upload);
  });

  it('the server finds the whole damaged at completion: nothing of it stays', async () => {
    const upload = await begun();
    front.react((seen) => (isComplete(seen) ? refusal(400, 'BadDigest') : undefined));
    expect(await failure(upload.finish(digestOf(BYTES), NEVER))).toMatchObject({
      code: 'corrupted',
    });
    expect(unfinished(front, BUCKET)).toEqual([]);
  });

  it.each([
    ['does not know the request', refusal(501, 'NotImplemented')],
    ['does not allow it to the key', refusal(403, 'AccessDenied')],
  ])('a server that %s to list parts: the checkpoint is believed', async (_what, answer) => {
    const upload = await begun();
    const checkpoint = await upload.checkpoint();
    front.react((seen) => (isList(seen) ? answer : undefined));
    const resumed = await destination.resume(file, PLAN, checkpoint ?? null, NEVER);
    expect(resumed.held).toBe(2);
    await resumed.finish(digestOf(BYTES), NEVER);
    expect(await stored()).toEqual(digestOf(BYTES));
  });

  it.each([
    ['is not sent again', 0],
    ['is sent again where it is not what is to be sent', 1],
  ])('a part that nobody noted before the worker was killed %s', async (_what, sent) => {
    const upload = await destination.begin(file, PLAN, NEVER);
    await write(upload, 0);
    const checkpoint = await upload.checkpoint();
    const range = partRange(PLAN, 1);
    const bytes = Buffer.from(BYTES.subarray(range.offset, range.offset + range.length));
    if (sent > 0) bytes.writeUInt8(bytes.readUInt8(0) ^ 1, 0);
    await upload.writePart({ ...range, bytes }, NEVER);
    // The embedded server lists no parts.
    const parts = [BYTES.subarray(0, range.offset), bytes].map(
      (part, at) =>
        `<Part><PartNumber>${at + 1}</PartNumber><Size>${part.length}</Size><ETag>"${partEtag(part)}"</ETag></Part>`,
    );
    front.react((seen) =>
      isList(seen)
        ? {
            status: 200,
            body: `<ListPartsResult><UploadId>${seen.query.get('uploadId')}</UploadId>${parts.join('')}</ListPartsResult>`,
          }
        : undefined,
    );
    const resumed = await destination.resume(file, PLAN, checkpoint ?? null, NEVER);
    expect(resumed.held).toBe(1);
    const before = front.seen.length;
    await write(resumed, 1);
    expect(front.seen.slice(before).filter(({ method }) => method === 'PUT')).toHaveLength(sent);
    await resumed.finish(digestOf(BYTES), NEVER);
    expect(await stored()).toEqual(digestOf(BYTES));
  });

  it('a part that arrives while the upload is aborted does not stay behind', async () => {
    const upload = await destination.begin(file, PLAN, NEVER);
    let aborts = 0;
    front.react(({ method }) => {
      if (method !== 'DELETE') return undefined;
      aborts += 1;
      // What AWS answers although a part was still being received.
      return aborts === 1 ? { status: 204 } : undefined;
    });
    await upload.abort();
    expect(unfinished(front, BUCKET)).toEqual([]);
  });

  it.each([
    ['InvalidAccessKeyId', 403, 'auth-refused', 'never', /AWS_ACCESS_KEY_ID/],
    ['AccessDenied', 403, 'permission-denied', 'never', /Allow it/],
    ['NoSuchBucket', 404, 'not-found', 'never', /AWS_S3_BUCKET_NAME/],
    ['QuotaExceeded', 403, 'no-space', 'never', /quota/],
    ['EntityTooLarge', 400, 'too-large', 'never', /AWS_PART_SIZE/],
    ['RequestTimeTooSkewed', 403, 'protocol', 'later', /clock/],
    ['SlowDown', 503, 'throttled', 'later', /later/],
    ['InternalError', 500, 'server-error', 'later', /later/],
    ['InvalidStorageClass', 400, 'setting-invalid', 'never', /AWS_STORAGE_CLASS/],
    ['constructor', 403, 'permission-denied', 'never', /Allow it/],
    ['KeyTooLongError', 400, 'name-refused', 'never', /name/],
  ] as const)('%s is told in words that help', async (name, status, code, retry, words) => {
    front.react(({ query }) => (query.has('uploads') ? refusal(status, name) : undefined));
    const error = await failure(destination.begin(file, PLAN, NEVER));
    expect(error).toMatchObject({ code, retry });
    expect(error.message).toMatch(words);
  });

  it('a bucket that does not exist is told by the server itself', async () => {
    const elsewhere = await openWith(settingsOf(server, 'no-such-bucket', front.endpoint));
    const error = await failure(elsewhere.begin(file, PLAN, NEVER));
    expect(error).toMatchObject({ code: 'not-found', retry: 'never', scope: 'destination' });
    const steps: unknown[] = [];
    for await (const step of elsewhere.check(NEVER)) steps.push(step);
    expect(steps.at(-1)).toMatchObject({ step: 'authentication', error: { code: 'not-found' } });
    await elsewhere.close();
  });

  it('a web page instead of S3 is explained', async () => {
    front.react(() => ({ status: 200, body: '<html><p>Welcome<br></html>' }));
    const error = await failure(destination.begin(file, PLAN, NEVER));
    expect(error.message).toContain('AWS_ENDPOINT');
  });

  it('a server that nobody answers for can be tried later', async () => {
    const gone = await startFront(server.endpoint);
    await gone.stop();
    const nowhere = await openWith(settingsOf(server, BUCKET, gone.endpoint));
    const error = await failure(nowhere.begin(file, PLAN, NEVER));
    expect(error).toMatchObject({ code: 'unreachable', retry: 'later' });
    await nowhere.close();
  });

  it('a body that breaks while it is read back is an error, not an end', async () => {
    await (await begun()).finish(digestOf(BYTES), NEVER);
    front.react(({ method }) => (method === 'GET' ? 'cut-answer' : undefined));
    expect(await failure(stored())).toMatchObject({ code: 'unreachable', retry: 'now' });
  });

  it('an answer that quotes the request shows no key and no signature', async () => {
    const signatures: string[] = [];
    front.react(({ headers }) => {
      const { authorization = '' } = headers;
      signatures.push(authorization.slice(authorization.indexOf('Signature=') + 10));
      return {
        ...refusal(
          403,
          'SignatureDoesNotMatch',
          `${authorization}; Signature=${signatures.at(-1)}`,
        ),
        headers: { 'x-echo': authorization },
      };
    });
    const error = await failure(destination.begin(file, PLAN, NEVER));
    const shown = inspect(error, { depth: 8, showHidden: true });
    for (const secret of [server.accessKeyId, server.secretAccessKey, ...signatures]) {
      expect(secret).not.toBe('');
      expect(shown).not.toContain(secret);
    }
  });

  it('the connection test says which step failed and leaves nothing behind', async () => {
    front.react(({ method }) => (method === 'GET' ? undefined : refusal(403, 'AccessDenied')));
    const steps: unknown[] = [];
    for await (const step of destination.check(NEVER)) steps.push(step);
    expect(steps.at(-1)).toMatchObject({ step: 'write', error: { code: 'permission-denied' } });

    front.react(({ method, path }) =>
      method === 'GET' && path.includes('.ferry-check-')
        ? { status: 200, body: 'other' }
        : undefined,
    );
    for await (const step of destination.check(NEVER)) steps.push(step);
    expect(steps.at(-1)).toMatchObject({ step: 'read back', error: { code: 'corrupted' } });
    front.react(() => undefined);
    for await (const left of destination.list('', NEVER)) expect(left.path).not.toContain('check');
  });

  it('a key that may not list can still be used', async () => {
    front.react(({ query }) => (query.has('list-type') ? refusal(403, 'AccessDenied') : undefined));
    const steps: unknown[] = [];
    for await (const step of destination.check(NEVER)) steps.push(step);
    expect(steps.at(-1)).toMatchObject({ step: 'speed', detail: expect.stringContaining('MiB/s') });
    expect(steps).toContainEqual(
      expect.objectContaining({ detail: expect.stringContaining('may not list') }),
    );
  });
});
