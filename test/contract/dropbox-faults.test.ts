import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MiB, type PartPlan, partRange, planParts } from '../../functions/core/parts.ts';
import { NEVER } from '../../functions/core/stopping.ts';
import type {
  CheckStep,
  Destination,
  RemoteFile,
  Upload,
} from '../../functions/destinations/contract.ts';
import type { Account } from '../../local/dropbox/oauth.ts';
import { Refusal, rateLimited, routeError } from '../../local/dropbox/refusal.ts';
import type { DropboxFake } from '../../local/dropbox/server.ts';
import { officialClient } from '../servers/dropbox-client.ts';
import { startFront } from '../servers/http-front.ts';
import { openWith, settingsOf, startFake, storedIn } from './dropbox-subject.ts';
import { failure } from './failure.ts';
import { digestOf, sampleBytes } from './sample.ts';

const BLOCK = 4 * MiB;
const BYTES = sampleBytes(2 * BLOCK + 77, 'faults');
const PLAN: PartPlan = { size: BYTES.length, partSize: BLOCK, count: 3 };
const START = 'files/upload_session/start';
const APPEND = 'files/upload_session/append_v2';
const FINISH = 'files/upload_session/finish';

describe('Dropbox when things go wrong', () => {
  let fake: DropboxFake;
  let account: Account;
  let destination: Destination;
  let file: RemoteFile;

  beforeAll(async () => {
    fake = await startFake();
  });
  beforeEach(async () => {
    fake.sessions.repeated = 'stored again';
    account = fake.addAccount(randomBytes(4).toString('hex'));
    destination = await openWith(settingsOf(fake, account));
    file = { path: 'html/a.tar', size: BYTES.length, transferId: randomBytes(8).toString('hex') };
  });
  afterAll(() => fake.stop());

  const write = async (upload: Upload, ...numbers: readonly number[]) => {
    for (const number of numbers) {
      const range = partRange(PLAN, number);
      const bytes = BYTES.subarray(range.offset, range.offset + range.length);
      await upload.writePart({ ...range, bytes }, NEVER);
    }
  };
  const begun = async (...numbers: readonly number[]) => {
    const upload = await destination.begin(file, PLAN, NEVER);
    await write(upload, ...numbers);
    return upload;
  };
  const finish = (upload: Upload) => upload.finish(digestOf(BYTES), NEVER);
  const resume = async (upload: Upload) =>
    destination.resume(file, PLAN, (await upload.checkpoint()) ?? null, NEVER);
  const stored = () => storedIn(account, '/html/a.tar');

  describe.each(['stored again', 'refused'] as const)(
    'a piece that comes twice is %s',
    (repeated) => {
      it('the answer to a piece was lost: it is sent again', async () => {
        fake.sessions.repeated = repeated;
        for (const after of [0, 1, 2]) {
          file = { ...file, path: `html/${after}.tar` };
          fake.script({ route: APPEND, what: 'lose-answer', after });
          await finish(await begun(0, 1, 2));
          expect(await storedIn(account, `/html/${after}.tar`)).toEqual(BYTES);
        }
      });

      it('a part is written that another process had sent after the checkpoint', async () => {
        fake.sessions.repeated = repeated;
        const upload = await begun(0);
        const checkpoint = await upload.checkpoint();
        await write(upload, 1);
        const resumed = await destination.resume(file, PLAN, checkpoint ?? null, NEVER);
        expect(resumed.held).toBe(1);
        await write(resumed, 1, 2);
        await finish(resumed);
        expect(await stored()).toEqual(BYTES);
      });
    },
  );

  it('all was sent and closed after the checkpoint: what comes again is not sent again', async () => {
    const upload = await begun(0);
    const checkpoint = await upload.checkpoint();
    await write(upload, 1, 2);
    const resumed = await destination.resume(file, PLAN, checkpoint ?? null, NEVER);
    await write(resumed, 2, 1);
    await finish(resumed);
    expect(await stored()).toEqual(BYTES);
  });

  it('two workers in one session: whoever is late finds it closed, and both are right', async () => {
    const upload = await begun(0);
    const other = await resume(upload);
    await write(upload, 1, 2);
    await write(other, 1, 2);
    expect(await finish(other)).toMatchObject({ verified: 'checksum' });
    expect(await finish(upload)).toMatchObject({ verified: 'checksum' });
    expect(await stored()).toEqual(BYTES);
  });

  it('the answer to finishing was lost: the file is found and proven', async () => {
    const upload = await begun(0, 1, 2);
    fake.script({ route: FINISH, what: 'lose-answer' });
    expect(await finish(upload)).toMatchObject({ size: BYTES.length, verified: 'checksum' });
    expect(await stored()).toEqual(BYTES);
  });

  it('finished, and then the session expired: another process finds the file', async () => {
    const upload = await begun(0, 1, 2);
    await finish(upload);
    await fake.sessions.expireAll();
    const resumed = await resume(upload);
    expect(resumed.held).toBe(3);
    expect(await finish(resumed)).toMatchObject({ verified: 'checksum' });
  });

  it('a file of the same size under the name is not taken for the lost answer', async () => {
    const upload = await begun(0, 1, 2);
    const other = sampleBytes(BYTES.length, 'other');
    const path = await openWith(settingsOf(fake, account));
    const whole = { size: other.length, partSize: 3 * BLOCK, count: 1 };
    const older = await path.begin({ ...file, transferId: '00' }, whole, NEVER);
    await older.writePart({ number: 0, offset: 0, length: other.length, bytes: other }, NEVER);
    await older.finish(digestOf(other), NEVER);
    await fake.sessions.expireAll();
    expect(await failure(finish(upload))).toMatchObject({ code: 'upload-lost', retry: 'now' });
    expect(await failure(resume(upload))).toMatchObject({ code: 'upload-lost', retry: 'now' });
    expect(await stored()).toEqual(other);
  });

  it('parts in any order, with a process that is lost anywhere: the file is the same', async () => {
    const bytes = sampleBytes(4 * BLOCK + 3, 'any order');
    const plan: PartPlan = { size: bytes.length, partSize: BLOCK, count: 5 };
    const numbers = [0, 1, 2, 3, 4];
    const orders = fc.record({
      first: fc.shuffledSubarray(numbers),
      rest: fc.shuffledSubarray(numbers, { minLength: 5 }),
    });
    await fc.assert(
      fc.asyncProperty(orders, async ({ first, rest }) => {
        const transferId = randomBytes(8).toString('hex');
        const one = { path: `any/${transferId}`, size: bytes.length, transferId };
        const send = async (upload: Upload, number: number) => {
          const range = partRange(plan, number);
          const part = bytes.subarray(range.offset, range.offset + range.length);
          await upload.writePart({ ...range, bytes: part }, NEVER);
        };
        const upload = await destination.begin(one, plan, NEVER);
        await Promise.all(first.map((number) => send(upload, number)));
        const saved = JSON.parse(JSON.stringify(await upload.checkpoint()));
        const resumed = await destination.resume(one, plan, saved, NEVER);
        const leading = numbers.findIndex((number) => !first.includes(number));
        expect(resumed.held).toBe(leading < 0 ? 5 : leading);
        const missing = rest.filter((number) => number >= resumed.held);
        await Promise.all(missing.map((number) => send(resumed, number)));
        await resumed.finish(digestOf(bytes), NEVER);
        expect(await storedIn(account, `/any/${transferId}`)).toEqual(bytes);
      }),
      { numRuns: 8 },
    );
  });

  it('a stopped transfer ends within a second, also with a part under way', async () => {
    const front = await startFront(fake.endpoint);
    const reached = Promise.withResolvers<void>();
    front.react(({ path }) => {
      if (!path.endsWith('append_v2')) return undefined;
      reached.resolve();
      return new Promise(() => {});
    });
    const slow = await openWith(settingsOf(fake, account, front.endpoint));
    const upload = await slow.begin(file, PLAN, NEVER);
    const stopping = new AbortController();
    const bytes = BYTES.subarray(0, BLOCK);
    const part = { number: 0, offset: 0, length: BLOCK, bytes };
    const writing = failure(upload.writePart(part, stopping.signal));
    await reached.promise;
    const stoppedAt = performance.now();
    stopping.abort();
    expect((await writing).code).toBe('aborted');
    expect(performance.now() - stoppedAt).toBeLessThan(1000);
    await slow.close();
    await front.stop();
  });

  it('offsets that Dropbox does not agree to: the upload is started again', async () => {
    const upload = await begun(0);
    const what = routeError(['incorrect_offset'], { correct_offset: 7 });
    fake.script({ route: APPEND, what });
    expect(await failure(write(upload, 1))).toMatchObject({ code: 'upload-lost', retry: 'now' });
  });

  it('a probe that is not understood leaves it to the next part to tell', async () => {
    const upload = await begun(0);
    fake.script({ route: APPEND, what: new Refusal(400, 'offset: not on the grid') });
    const resumed = await resume(upload);
    await write(resumed, 1, 2);
    await finish(resumed);
    expect(await stored()).toEqual(BYTES);
  });

  it('a file in place of the folder is told by the connection test', async () => {
    await finish(await begun(0, 1, 2));
    const settings = { ...settingsOf(fake, account), DROPBOX_REMOTE_PATH: 'html/a.tar' };
    const wrong = await openWith(settings);
    const steps: CheckStep[] = [];
    for await (const step of wrong.check(NEVER)) steps.push(step);
    expect(steps.at(-1)).toMatchObject({
      step: 'authentication',
      error: { code: 'name-refused', message: expect.stringMatching(/DROPBOX_REMOTE_PATH/) },
    });
    await wrong.close();
  });

  it('the session expires in mid-upload: it is started again', async () => {
    const upload = await begun(0);
    await fake.sessions.expireAll();
    expect(await failure(write(upload, 1))).toMatchObject({ code: 'upload-lost', retry: 'now' });
    expect(await failure(resume(upload))).toMatchObject({ code: 'upload-lost', retry: 'now' });
  });

  it('an archive of one part whose session expires is started again, too', async () => {
    const whole = { size: BYTES.length, partSize: 3 * BLOCK, count: 1 };
    const upload = await destination.begin(file, whole, NEVER);
    expect(await upload.checkpoint()).toBeUndefined();
    await upload.writePart({ number: 0, offset: 0, length: BYTES.length, bytes: BYTES }, NEVER);
    const checkpoint = await upload.checkpoint();
    const resumed = await destination.resume(file, whole, checkpoint ?? null, NEVER);
    expect(resumed.held).toBe(1);
    await fake.sessions.expireAll();
    expect(await failure(finish(resumed))).toMatchObject({ code: 'upload-lost' });
  });

  it('Dropbox lost a piece: that shows when the file is to be finished, and nothing is published', async () => {
    const upload = await begun(0, 1, 2);
    fake.sessions.losePiece(BLOCK);
    expect(await failure(finish(upload))).toMatchObject({ code: 'upload-lost', retry: 'now' });
    expect(await stored()).toBeUndefined();
  });

  it('Dropbox made another file of the session than was sent: it is removed, but nothing newer', async () => {
    const front = await startFront(fake.endpoint);
    const client = officialClient({
      endpoint: fake.endpoint,
      clientId: fake.app.key,
      clientSecret: fake.app.secret,
      refreshToken: fake.oauth.connect(fake.app, account),
    });
    const put = async (text: string) => {
      const contents = Buffer.from(text);
      const mode = { '.tag': 'overwrite' } as const;
      return (await client.filesUpload({ path: '/html/a.tar', contents, mode })).result;
    };
    const spoiled = await openWith(settingsOf(fake, account, front.endpoint));
    for (const newer of [undefined, 'newer']) {
      const upload = await spoiled.begin(file, PLAN, NEVER);
      await write(upload, 0, 1, 2);
      front.react(async ({ path }) => {
        if (path !== `/2/${FINISH}`) return undefined;
        const body = JSON.stringify(await put('damaged'));
        if (newer !== undefined) await put(newer);
        return { status: 200, body };
      });
      const error = await failure(finish(upload));
      expect(error).toMatchObject({ code: 'corrupted', retry: 'later', scope: 'archive' });
      expect((await stored())?.toString()).toBe(newer);
    }
    await spoiled.close();
    await front.stop();
  });

  it('not all parts were written: nothing is published', async () => {
    const upload = await begun(1, 2);
    expect(await failure(finish(upload))).toMatchObject({ code: 'upload-lost' });
    expect(await stored()).toBeUndefined();
  });

  it('closing fails: the part that closed counts as not written, and can be written again', async () => {
    const upload = await begun(0, 1);
    fake.script({ route: APPEND, what: new Refusal(500, 'no') });
    expect(await failure(write(upload, 2))).toMatchObject({ code: 'server-error', retry: 'later' });
    expect((await resume(upload)).held).toBe(2);
    await write(upload, 2);
    await finish(upload);
    expect(await stored()).toEqual(BYTES);
  });

  const STEPS = [
    ['oauth2/token', () => begun()],
    ['files/get_metadata', () => begun()],
    ['users/get_space_usage', () => begun()],
    [START, () => begun()],
    [APPEND, () => begun(0)],
    [FINISH, async () => finish(await begun(0, 1, 2))],
    [
      'files/list_folder',
      async () => {
        for await (const _ of destination.list('', NEVER));
      },
    ],
    [
      'files/download',
      async () => {
        for await (const _ of destination.read('html/a.tar', NEVER));
      },
    ],
    ['files/delete_v2', () => destination.remove('html/a.tar', NEVER)],
  ] as const;

  it.each(STEPS)(
    '429 with Retry-After at %s: later, after the time asked for',
    async (route, run) => {
      fake.script({ route, what: rateLimited('too_many_requests', 17) });
      expect(await failure(run())).toMatchObject({
        code: 'throttled',
        retry: 'later',
        retryAfterMs: 17_000,
      });
    },
  );

  it('429 in plain text, and with the time in its body alone', async () => {
    fake.script({ route: START, what: new Refusal(429, 'slow down', { 'retry-after': '3' }) });
    expect(await failure(begun())).toMatchObject({ code: 'throttled', retryAfterMs: 3000 });
    const { status, body } = rateLimited('too_many_write_operations', 5);
    fake.script({ route: FINISH, what: new Refusal(status, body) });
    expect(await failure(finish(await begun(0, 1, 2)))).toMatchObject({
      code: 'throttled',
      retry: 'later',
      retryAfterMs: 5000,
    });
  });

  it('a finish that was put off goes on from the checkpoint', async () => {
    const upload = await begun(0, 1, 2);
    for (const tags of [['too_many_write_operations'], ['path', 'too_many_write_operations']]) {
      fake.script({ route: FINISH, what: routeError(tags) });
      expect(await failure(finish(upload))).toMatchObject({ code: 'throttled', retry: 'later' });
    }
    const resumed = await resume(upload);
    expect(resumed.held).toBe(3);
    await finish(resumed);
    expect(await stored()).toEqual(BYTES);
  });

  it('no room at the end: never, and once there is some the same session is finished', async () => {
    const upload = await begun(0, 1, 2);
    account.quota = BLOCK;
    const error = await failure(finish(upload));
    expect(error).toMatchObject({ code: 'no-space', retry: 'never' });
    expect(error.message).toMatch(/Free some space or upgrade/);
    expect(await stored()).toBeUndefined();
    account.quota = Number.MAX_SAFE_INTEGER;
    await finish(await resume(upload));
    expect(await stored()).toEqual(BYTES);
  });

  it('no room, and Dropbox says so beforehand: not a byte is sent; what is replaced counts', async () => {
    account.quota = 2 * BLOCK;
    const before = fake.sessions.unfinished;
    const error = await failure(begun());
    expect(error).toMatchObject({ code: 'no-space', retry: 'never', scope: 'archive' });
    expect(error.message).toMatch(/0\.01 GiB/);
    expect(fake.sessions.unfinished).toBe(before);
    account.quota = BYTES.length;
    await finish(await begun(0, 1, 2));
    await finish(await begun(0, 1, 2));
  });

  it.each([
    [['path', 'malformed_path'], 'name-refused', 'never', /another name/],
    [['path', 'disallowed_name'], 'name-refused', 'never', /another name/],
    [['path', 'conflict', 'folder'], 'name-refused', 'never', /A folder has the name/],
    [['path', 'conflict', 'file_ancestor'], 'name-refused', 'never', /DROPBOX_REMOTE_PATH/],
    [['path', 'no_write_permission'], 'permission-denied', 'never', /DROPBOX_REMOTE_PATH/],
    [['path', 'access_restricted'], 'permission-denied', 'never', /administrator/],
    [['path', 'team_folder'], 'permission-denied', 'never', /DROPBOX_REMOTE_PATH/],
    [['path', 'operation_suppressed'], 'permission-denied', 'never', /DROPBOX_REMOTE_PATH/],
    [['path', 'insufficient_space'], 'no-space', 'never', /upgrade/],
    [['path', 'team_folder_insufficient_space'], 'no-space', 'never', /upgrade/],
    [['path', 'upload_traffic_limit_reached'], 'throttled', 'later', /month/],
    [['encryption_not_supported'], 'permission-denied', 'never', /encrypted/],
    [['concurrent_session_not_closed'], 'upload-lost', 'now', /started again/],
    [['concurrent_session_invalid_offset'], 'upload-lost', 'now', /started again/],
    [['concurrent_session_invalid_data_size'], 'upload-lost', 'now', /started again/],
    [['path', 'something_new'], 'protocol', 'later', /report/],
  ] as const)('%j is told in words that help', async (tags, code, retry, words) => {
    const upload = await begun(0, 1, 2);
    fake.script({ route: FINISH, what: routeError(tags) });
    const error = await failure(finish(upload));
    expect(error).toMatchObject({ code, retry });
    expect(error.message).toMatch(words);
  });

  it.each([
    [500, 'server-error', 'later'],
    [502, 'server-error', 'later'],
    [403, 'permission-denied', 'never'],
    [400, 'protocol', 'never'],
    [302, 'protocol', 'never'],
  ] as const)('HTTP %i is %s', async (status, code, retry) => {
    fake.script({
      route: START,
      what: new Refusal(status, 'whatever', { location: '/elsewhere' }),
    });
    expect(await failure(begun())).toMatchObject({ code, retry });
  });

  it('a web page in place of Dropbox is explained', async () => {
    fake.script({ route: 'files/get_metadata', what: new Refusal(200, '<html>Welcome</html>') });
    expect((await failure(begun())).message).toContain('DROPBOX_ENDPOINT');
  });

  it('a server that nobody answers for can be tried later', async () => {
    const gone = await startFake();
    const nowhere = await openWith(settingsOf(fake, account, gone.endpoint));
    await gone.stop();
    const error = await failure(nowhere.begin(file, PLAN, NEVER));
    expect(error).toMatchObject({ code: 'unreachable', retry: 'later' });
    await nowhere.close();
  });

  it('more than 2 TiB is refused before the first byte, also where parts could be planned', async () => {
    const limit = 2_199_019_061_248;
    const { part } = await destination.capabilities(NEVER);
    const begin = (size: number) =>
      destination.begin({ ...file, size }, planParts(size, part, 64 * MiB), NEVER);
    expect(planParts(limit, part, 16 * MiB)).toMatchObject({ partSize: 16 * MiB });
    const before = fake.sessions.unfinished;
    const error = await failure(begin(limit + 1));
    expect(error).toMatchObject({ code: 'too-large', retry: 'never', scope: 'archive' });
    expect(error.message).toMatch(/2 TiB.*Split the archive/);
    expect(fake.sessions.unfinished).toBe(before);
    const upload = await begin(limit);
    await upload.abort();
    await fake.sessions.expireAll();
  });

  it('a name that Dropbox cannot keep is refused before the first byte, and why', async () => {
    for (const [path, words] of [
      ['html/a\\b.tar', /backslash/],
      ['html/a.tar ', /space at its end/],
      ['html/desktop.ini', /operating system/],
    ] as const) {
      const error = await failure(destination.begin({ ...file, path }, PLAN, NEVER));
      expect(error).toMatchObject({ code: 'name-refused', retry: 'never', scope: 'archive' });
      expect(error.message).toMatch(words);
    }
  });

  it('an archive does not replace another whose name differs in capital letters alone', async () => {
    await finish(await begun(0, 1, 2));
    const twin = { ...file, path: 'html/A.tar' };
    const error = await failure(destination.begin(twin, PLAN, NEVER));
    expect(error).toMatchObject({ code: 'name-refused', retry: 'never', scope: 'archive' });
    expect(error.message).toContain('"a.tar"');
    expect(await stored()).toEqual(BYTES);
  });

  it('a folder in the way is told before the first byte', async () => {
    account.tree.makeFolder('/html/a.tar');
    expect(await failure(begun())).toMatchObject({ code: 'name-refused', retry: 'never' });
  });

  it('decomposed letters are found again under both spellings, and listed composed', async () => {
    const bytes = Buffer.from('x');
    const plan = { size: 1, partSize: BLOCK, count: 1 };
    const path = 'html/cafe\u0301.tar';
    const upload = await destination.begin({ ...file, path, size: 1 }, plan, NEVER);
    await upload.writePart({ number: 0, offset: 0, length: 1, bytes }, NEVER);
    const proof = await upload.finish(digestOf(bytes), NEVER);
    expect(proof.remotePath).toBe('/html/caf\u00e9.tar');
    expect(await destination.stat(path, NEVER)).toMatchObject({ path, size: 1 });
    expect(await destination.stat('html/caf\u00e9.tar', NEVER)).toMatchObject({ size: 1 });
    const listed: string[] = [];
    for await (const one of destination.list('html', NEVER)) listed.push(one.path);
    expect(listed).toEqual(['html/caf\u00e9.tar']);
    await destination.remove(path, NEVER);
    expect(account.tree.find('/html/caf\u00e9.tar')).toBeUndefined();
  });

  it('the root of the Dropbox, and the folder that an app may see, work like any other', async () => {
    const app = fake.oauth.addApp({ ...fake.app, key: 'onefolder', access: 'app-folder' });
    const one = await openWith({
      ...settingsOf(fake, account),
      DROPBOX_APP_KEY: app.key,
      DROPBOX_REFRESH_TOKEN: fake.oauth.connect(app, account),
      DROPBOX_REMOTE_PATH: '/',
    });
    const upload = await one.begin(file, PLAN, NEVER);
    await write(upload, 0, 1, 2);
    await finish(upload);
    expect(account.tree.find('/Apps/Ferry/html/a.tar')).toBeDefined();
    const listed: string[] = [];
    for await (const { path } of one.list('', NEVER)) listed.push(path);
    expect(listed).toEqual(['html/a.tar']);
    await one.close();
  });

  it('an answer that quotes the request shows no token and no key', async () => {
    const quoted = {
      error_summary: 'x',
      error: { '.tag': 'sl.secret-token', text: fake.app.secret },
    };
    fake.script({ route: START, what: new Refusal(409, quoted, { 'x-echo': 'Bearer sl.secret' }) });
    const shown = inspect(await failure(begun()), { depth: 8, showHidden: true });
    for (const secret of ['sl.secret', fake.app.secret, ...fake.oauth.accessTokens]) {
      expect(shown).not.toContain(secret);
    }
  });
});
