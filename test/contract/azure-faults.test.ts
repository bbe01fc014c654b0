import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import type { ContainerClient } from '@azure/storage-blob';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MiB, type PartPlan, partRange } from '../../functions/core/parts.ts';
import { NEVER } from '../../functions/core/stopping.ts';
import type { Destination, RemoteFile, Upload } from '../../functions/destinations/contract.ts';
import { type Azurite, startAzurite } from '../../local/azurite.ts';
import { type Front, type Seen, startFront } from '../servers/http-front.ts';
import { openWith, plainClient, settingsOf, through } from './azure-subject.ts';
import { failure } from './failure.ts';
import { digestOf, sampleBytes } from './sample.ts';

const BYTES = sampleBytes(2 * MiB + 77, 'faults');
const PLAN: PartPlan = { size: BYTES.length, partSize: MiB, count: 3 };

const isBlock = ({ method, query }: Seen) => method === 'PUT' && query.get('comp') === 'block';
const isCommit = ({ query }: Seen) => query.get('comp') === 'blocklist';
const refusal = (status: number, code: string) => ({
  status,
  headers: { 'x-ms-error-code': code, 'content-type': 'application/xml' },
  body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>of sig=abc</Message></Error>`,
});
/** Some gateways answer with a status alone. */
const refusalOrBare = (status: number, code: string) =>
  code === '' ? { status } : refusal(status, code);

describe('Azure when things go wrong', () => {
  let folder: string;
  let server: Azurite;
  let front: Front;
  let client: ContainerClient;
  let destination: Destination;
  let file: RemoteFile;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ferry-azurite-'));
    server = await startAzurite({ folder });
    client = plainClient(server);
    await client.createIfNotExists();
    front = await startFront(new URL(server.endpoint).origin);
    destination = await openWith(settingsOf(server, through(front, server)));
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
    await rm(folder, { recursive: true });
  });

  const write = async (upload: Upload, number: number) => {
    const range = partRange(PLAN, number);
    const bytes = BYTES.subarray(range.offset, range.offset + range.length);
    await upload.writePart({ ...range, bytes }, NEVER);
  };
  const begun = async () => {
    const upload = await destination.begin(file, PLAN, NEVER);
    for (const number of [0, 1, 2]) await write(upload, number);
    return upload;
  };
  const stored = async () => digestOf(await client.getBlobClient(file.path).downloadToBuffer());
  const since = (before: number, which: (seen: Seen) => boolean) =>
    front.seen.slice(before).filter(which);

  it('every block goes with its MD5, and all are committed in order under one condition', async () => {
    const before = front.seen.length;
    const upload = await begun();
    await upload.finish(digestOf(BYTES), NEVER);
    const blocks = since(before, isBlock);
    expect(blocks).toHaveLength(3);
    for (const [number, { headers }] of blocks.entries()) {
      const { offset, length } = partRange(PLAN, number);
      const md5 = createHash('md5').update(BYTES.subarray(offset, offset + length));
      expect(headers['content-md5']).toBe(md5.digest('base64'));
    }
    const [commit, ...more] = since(before, (seen) => isCommit(seen) && seen.method === 'PUT');
    expect(more).toEqual([]);
    expect(commit?.headers).toMatchObject({
      'if-none-match': '*',
      'x-ms-meta-ferry_sha256': digestOf(BYTES).sha256,
    });
    expect(await stored()).toEqual(digestOf(BYTES));
  });

  it.each([
    ['once', 1],
    ['until nobody tries again', 3],
  ])('the answer to the commit is lost %s: the finished file is found', async (_what, times) => {
    const upload = await begun();
    let left = times;
    front.react((seen) =>
      isCommit(seen) && seen.method === 'PUT' && left-- > 0 ? 'lose-answer' : undefined,
    );
    if (times > 1)
      expect(await failure(upload.finish(digestOf(BYTES), NEVER))).toMatchObject({ retry: 'now' });
    expect(await upload.finish(digestOf(BYTES), NEVER)).toMatchObject({ size: BYTES.length });
    expect(await stored()).toEqual(digestOf(BYTES));
  });

  it('somebody else writes the file meanwhile: theirs is not replaced unseen', async () => {
    const upload = await begun();
    front.react(async (seen) => {
      if (isCommit(seen)) await client.getBlockBlobClient(file.path).upload('theirs', 6);
      return undefined;
    });
    const error = await failure(upload.finish(digestOf(BYTES), NEVER));
    expect(error).toMatchObject({ retry: 'later', scope: 'archive' });
    expect((await stored()).size).toBe(6);
  });

  it.each([
    [409, 'BlobImmutableDueToPolicy', 'permission-denied', 'never', /policy/],
    [409, 'BlobImmutableDueToLegalHold', 'permission-denied', 'never', /legal hold/],
    [409, 'SnapshotsPresent', 'permission-denied', 'never', /snapshots/],
    [412, 'LeaseIdMissing', 'permission-denied', 'never', /lease/],
    [409, 'InvalidBlobType', 'name-refused', 'never', /another kind/],
    [409, 'BlobBeingRehydrated', 'server-error', 'later', /Archive tier/],
    [409, 'NobodyKnowsThis', 'server-error', 'later', /as it stands/],
    [412, '', 'server-error', 'later', /as it stands/],
  ])(
    'a commit refused with %i %s is told as it is',
    async (status, code, expected, retry, words) => {
      const upload = await begun();
      front.react((seen) =>
        isCommit(seen) && seen.method === 'PUT' ? refusalOrBare(status, code) : undefined,
      );
      const error = await failure(upload.finish(digestOf(BYTES), NEVER));
      expect(error).toMatchObject({ code: expected, retry, scope: 'archive' });
      expect(error.message).toMatch(words);
    },
  );

  it('a lease that somebody takes between the parts and the commit is told as a lease', async () => {
    const blob = client.getBlockBlobClient(file.path);
    await blob.upload('older', 5);
    const upload = await begun();
    const lease = blob.getBlobLeaseClient();
    await lease.acquireLease(-1);
    const error = await failure(upload.finish(digestOf(BYTES), NEVER));
    await lease.breakLease(0);
    expect(error).toMatchObject({ code: 'permission-denied', retry: 'never', scope: 'archive' });
    expect(error.message).toMatch(/lease/);
  });

  it.each([
    ['BlobAlreadyExists', 409],
    ['TargetConditionNotMet', 412],
    ['', 409],
    ['', 412],
  ])('a condition that fails as "%s" %i where somebody else wrote', async (code, status) => {
    const upload = await begun();
    front.react(async (seen) => {
      if (!isCommit(seen) || seen.method !== 'PUT') return undefined;
      await client.getBlockBlobClient(file.path).upload('theirs', 6);
      return refusalOrBare(status, code);
    });
    const error = await failure(upload.finish(digestOf(BYTES), NEVER));
    expect(error).toMatchObject({ retry: 'later', scope: 'archive' });
    expect(error.message).toMatch(/Something else wrote/);
  });

  it.each([
    [409, 'BlobImmutableDueToPolicy', 'permission-denied', /policy/],
    [403, 'AuthorizationPermissionMismatch', 'permission-denied', /delete/],
    [412, '', 'server-error', /as it stands/],
  ])(
    'a damaged file that may not be removed (%i %s) is not passed over',
    async (status, code, expected, words) => {
      const upload = await begun();
      front.react(async (seen) => {
        if (seen.method === 'DELETE') return refusalOrBare(status, code);
        if (!isCommit(seen) || seen.method !== 'PUT') return undefined;
        const metadata = { ferry_transfer: file.transferId };
        await client.getBlockBlobClient(file.path).upload('short', 5, { metadata });
        return { status: 201 };
      });
      const error = await failure(upload.finish(digestOf(BYTES), NEVER));
      expect(error).toMatchObject({ code: expected });
      expect(error.message).toMatch(words);
    },
  );

  it.each([
    ['a connection that breaks', 'lose-answer' as const],
    ['an answer that it is busy inside', refusal(500, 'OperationTimedOut')],
  ])('%s within a block costs nothing but that block', async (_what, reaction) => {
    let left = 1;
    front.react((seen) => (isBlock(seen) && left-- > 0 ? reaction : undefined));
    const upload = await destination.begin(file, PLAN, NEVER);
    const tries = async (number: number) => {
      const thrown = await write(upload, number).catch((error: unknown) => error);
      if (thrown) await write(upload, number);
    };
    for (const number of [0, 1, 2]) await tries(number);
    await upload.finish(digestOf(BYTES), NEVER);
    expect(await stored()).toEqual(digestOf(BYTES));
  });

  it('429 is obeyed at the first word: the SDK does not try again on its own', async () => {
    const upload = await destination.begin(file, PLAN, NEVER);
    const before = front.seen.length;
    front.react(() => ({ ...refusal(429, 'TooManyRequests'), headers: { 'retry-after': '31' } }));
    const error = await failure(write(upload, 0));
    expect(error).toMatchObject({ code: 'throttled', retry: 'later', retryAfterMs: 31_000 });
    expect(front.seen.length).toBe(before + 1);
  });

  it.each([
    [403, 'AuthenticationFailed', 'auth-refused', 'never', /AZURE_STORAGE_PRIMARY_ACCOUNT_KEY/],
    [403, 'AuthorizationPermissionMismatch', 'permission-denied', 'never', /read, create, write/],
    [404, 'ContainerNotFound', 'not-found', 'never', /AZURE_STORAGE_CONTAINER_NAME/],
    [400, 'InvalidBlobTier', 'setting-invalid', 'never', /AZURE_STORAGE_ACCESS_TIER/],
    [409, 'BlobImmutableDueToPolicy', 'permission-denied', 'never', /policy/],
    [400, 'InvalidBlobOrBlock', 'protocol', 'later', /seven days/],
    [403, 'constructor', 'permission-denied', 'never', /read, create, write/],
    [409, 'BlobArchived', 'permission-denied', 'never', /AZURE_STORAGE_ACCESS_TIER.*verify/],
    [413, 'RequestBodyTooLarge', 'too-large', 'never', /Split/],
    [503, 'ServerBusy', 'throttled', 'later', /fewer requests/],
    [500, 'InternalError', 'server-error', 'later', /tries again/],
  ])('%i %s is told as %s', async (status, code, expected, retry, words) => {
    const upload = await destination.begin(file, PLAN, NEVER);
    front.react(() => refusal(status, code));
    const error = await failure(write(upload, 0));
    expect(error).toMatchObject({ code: expected, retry });
    expect(error.message).toMatch(words);
    const shown = inspect(error, { depth: 9, showHidden: true });
    for (const secret of [server.accountKey, 'sig=abc', 'SharedKey']) {
      expect(shown).not.toContain(secret);
    }
  });

  it('an upload that is given up sends nothing more, and shows no file for a moment', async () => {
    const upload = await begun();
    const before = front.seen.length;
    await upload.abort();
    expect(front.seen.slice(before)).toEqual([]);
    expect(await client.getBlobClient(file.path).exists()).toBe(false);
  });

  it('blocks that Azure dropped between the last part and the commit: it begins anew', async () => {
    const upload = await begun();
    await client.getBlockBlobClient(file.path).commitBlockList([]);
    await client.getBlockBlobClient(file.path).delete();
    const error = await failure(upload.finish(digestOf(BYTES), NEVER));
    expect(error).toMatchObject({ code: 'upload-lost', retry: 'now' });
  });
});
