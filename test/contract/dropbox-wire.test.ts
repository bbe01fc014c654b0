import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MiB, type PartPlan, partRange } from '../../functions/core/parts.ts';
import { NEVER } from '../../functions/core/stopping.ts';
import type { Destination } from '../../functions/destinations/contract.ts';
import { contentHash } from '../../local/dropbox/content-hash.ts';
import type { Account } from '../../local/dropbox/oauth.ts';
import type { DropboxFake } from '../../local/dropbox/server.ts';
import { type Front, type Seen, startFront } from '../servers/http-front.ts';
import { openWith, settingsOf, startFake, storedIn } from './dropbox-subject.ts';
import { recordTrips } from './round-trips.ts';
import { digestOf, sampleBytes } from './sample.ts';

const BLOCK = 4 * MiB;
const isOf = (route: string) => (seen: Seen) => seen.path === `/2/files/${route}`;
const argumentOf = ({ headers }: Seen) => JSON.parse(String(headers['dropbox-api-arg']));

describe('what Ferry says to Dropbox', () => {
  let fake: DropboxFake;
  let front: Front;
  let account: Account;
  let destination: Destination;
  let from = 0;

  beforeAll(async () => {
    fake = await startFake();
    front = await startFront(fake.endpoint);
  });
  beforeEach(async () => {
    account = fake.addAccount('wire');
    destination = await openWith({
      ...settingsOf(fake, account, front.endpoint),
      DROPBOX_CONCURRENCY_LEVEL: 3,
    });
    front.react(() => undefined);
    from = front.seen.length;
  });
  afterAll(async () => {
    await front.stop();
    await fake.stop();
  });

  const seen = (route: string) => front.seen.slice(from).filter(isOf(route));
  const planOf = (size: number, partSize = BLOCK): PartPlan => ({
    size,
    partSize,
    count: Math.ceil(size / partSize),
  });
  const deliver = async (
    path: string,
    bytes: Buffer,
    { order, partSize = BLOCK }: { order?: readonly number[]; partSize?: number } = {},
  ) => {
    const plan = planOf(bytes.length, partSize);
    const file = { path, size: bytes.length, transferId: '0123456789abcdef' };
    const upload = await destination.begin(file, plan, NEVER);
    for (const number of order ?? Array.from({ length: plan.count }, (_, at) => at)) {
      const range = partRange(plan, number);
      const part = bytes.subarray(range.offset, range.offset + range.length);
      await upload.writePart({ ...range, bytes: part }, NEVER);
    }
    return upload.finish(digestOf(bytes), NEVER);
  };

  it('what does not wait for each other is asked at the same time', async () => {
    const trips = recordTrips(front, ({ path }) => path.split('/').slice(-2).join('/'));
    await deliver('a.tar', sampleBytes(BLOCK + 77, 'two parts'));
    expect(trips()).toEqual([
      ['oauth2/token'],
      ['files/get_metadata', 'users/get_space_usage'],
      ['upload_session/start'],
      ['upload_session/append_v2'],
      // The end of the file goes with the request that closes the session.
      ['upload_session/append_v2'],
      ['upload_session/finish'],
    ]);
  });

  it('files that are ready at the same time are put in their places one after the other', async () => {
    let now = 0;
    let most = 0;
    front.react(async ({ path }) => {
      if (!/\/(upload|upload_session\/finish)$/.test(path)) return undefined;
      now += 1;
      most = Math.max(most, now);
      await wait(30);
      now -= 1;
      return undefined;
    });
    const sizes = [0, 10, 20, 0, 30, 40];
    await Promise.all(sizes.map((size, at) => deliver(`${at}.tar`, sampleBytes(size, `${at}`))));
    expect(most).toBe(1);
  });

  it.each([
    ['in order', [0, 1, 2, 3]],
    ['backwards', [3, 2, 1, 0]],
    ['the last one first', [3, 0, 1, 2]],
  ])('pieces lie on the grid, are hashed, and the last one alone closes: %s', async (_, order) => {
    const bytes = sampleBytes(3 * 2 * BLOCK + BLOCK + 77, 'grid');
    await deliver('a.tar', bytes, { order, partSize: 2 * BLOCK });
    const pieces = seen('upload_session/append_v2').map((piece) => ({
      ...argumentOf(piece),
      bytes: piece.bytes,
    }));
    for (const { cursor, bytes: length, content_hash, close } of pieces) {
      expect(cursor.offset % BLOCK).toBe(0);
      expect(length % BLOCK === 0 || close).toBe(true);
      const sent = bytes.subarray(cursor.offset, cursor.offset + length);
      expect(content_hash).toBe(contentHash(sent));
    }
    expect(pieces.map(({ close }) => close)).toEqual([false, false, false, false, true]);
    expect(pieces.at(-1)).toMatchObject({ cursor: { offset: 7 * BLOCK }, bytes: 77 });
    const total = pieces.reduce((sum, { bytes: length }) => sum + length, 0);
    expect(total).toBe(bytes.length);
    expect(await storedIn(account, '/a.tar')).toEqual(bytes);
  });

  it('the piece that closes has content also where all of the archive is on the grid', async () => {
    const bytes = sampleBytes(4 * BLOCK, 'exact');
    await deliver('a.tar', bytes, { partSize: 2 * BLOCK });
    const closing = seen('upload_session/append_v2').at(-1);
    expect(closing?.bytes).toBe(BLOCK);
    expect(closing && argumentOf(closing).close).toBe(true);
  });

  it('a session is started and finished empty, with the hash of nothing', async () => {
    await deliver('a.tar', sampleBytes(2 * BLOCK + 1, 'empty ends'));
    for (const route of ['upload_session/start', 'upload_session/finish']) {
      const [request, ...others] = seen(route);
      expect(others).toEqual([]);
      expect(request?.bytes).toBe(0);
      expect(request && argumentOf(request).content_hash).toBe(contentHash(Buffer.alloc(0)));
    }
  });

  it('files take the place of older ones, never another name, and nobody is notified', async () => {
    await deliver('a.tar', sampleBytes(BLOCK + 1, 'commit'));
    await deliver('small.tar', sampleBytes(10, 'commit'));
    await deliver('none.tar', Buffer.alloc(0));
    const commits = [
      ...seen('upload_session/finish').map((request) => argumentOf(request).commit),
      ...seen('upload').map(argumentOf),
    ];
    expect(commits).toHaveLength(3);
    for (const { content_hash: _, ...commit } of commits) {
      expect(commit).toEqual({
        path: expect.stringMatching(/^\/\w+\.tar$/),
        mode: { '.tag': 'overwrite' },
        autorename: false,
        mute: true,
      });
    }
  });

  it('an archive of one part takes two requests with it: the part, and its name', async () => {
    const bytes = sampleBytes(BLOCK + 9, 'small');
    await deliver('a.tar', bytes, { partSize: 4 * BLOCK });
    const [start, ...others] = seen('upload_session/start');
    expect(others).toEqual([]);
    expect(start?.bytes).toBe(bytes.length);
    expect(start && argumentOf(start)).toEqual({ close: true, content_hash: contentHash(bytes) });
    expect(seen('upload_session/append_v2')).toEqual([]);
    expect(seen('upload_session/finish')).toHaveLength(1);
  });

  it('arguments in headers are ASCII, whatever the name', async () => {
    const path = 'html/🚢 “größe” caf\u00e9 𝒳\u2028.tar';
    const bytes = sampleBytes(10, 'ascii');
    await deliver(path, bytes);
    for await (const _ of destination.read(path, NEVER));
    const withArguments = front.seen
      .slice(from)
      .filter(({ headers }) => headers['dropbox-api-arg'] !== undefined);
    expect(withArguments.length).toBeGreaterThan(2);
    for (const { headers } of withArguments) {
      expect(headers['dropbox-api-arg']).toMatch(/^[\x20-\x7e]*$/);
    }
    expect(await storedIn(account, `/${path}`)).toEqual(bytes);
  });

  it('keys and tokens are never in a URL', async () => {
    await deliver('a.tar', sampleBytes(10, 'url'));
    const requests = front.seen.slice(from);
    const tokens = requests.filter(({ path }) => path === '/oauth2/token');
    expect(tokens).toHaveLength(1);
    expect(tokens[0]?.headers['content-type']).toBe('application/x-www-form-urlencoded');
    for (const { query } of requests) expect([...query]).toEqual([]);
  });

  it('no more requests with content are under way than the settings allow', async () => {
    const bytes = sampleBytes(7 * BLOCK, 'parallel');
    let underWay = 0;
    let most = 0;
    front.react(async ({ path }) => {
      if (!path.endsWith('append_v2')) return undefined;
      underWay += 1;
      most = Math.max(most, underWay);
      await new Promise((resolve) => setTimeout(resolve, 300));
      underWay -= 1;
      return undefined;
    });
    const plan = planOf(bytes.length);
    const file = { path: 'p.tar', size: bytes.length, transferId: '0123456789abcdef' };
    const upload = await destination.begin(file, plan, NEVER);
    await Promise.all(
      Array.from({ length: plan.count }, (_, number) => {
        const range = partRange(plan, number);
        const part = bytes.subarray(range.offset, range.offset + range.length);
        return upload.writePart({ ...range, bytes: part }, NEVER);
      }),
    );
    await upload.finish(digestOf(bytes), NEVER);
    expect(most).toBe(3);
    expect((await destination.capabilities(NEVER)).parallel).toBe(3);
  });

  it('a checkpoint is small and holds no secret', async () => {
    const plan = planOf(3 * BLOCK);
    const bytes = sampleBytes(3 * BLOCK, 'checkpoint');
    const file = { path: 'c.tar', size: bytes.length, transferId: '0123456789abcdef' };
    const upload = await destination.begin(file, plan, NEVER);
    const part = bytes.subarray(0, BLOCK);
    await upload.writePart({ number: 0, offset: 0, length: BLOCK, bytes: part }, NEVER);
    const text = JSON.stringify(await upload.checkpoint());
    expect(text.length).toBeLessThan(600);
    for (const secret of [fake.app.secret, ...fake.oauth.accessTokens]) {
      expect(text).not.toContain(secret);
    }
  });
});
