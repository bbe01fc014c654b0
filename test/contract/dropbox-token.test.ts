import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MiB, type PartPlan, partRange } from '../../functions/core/parts.ts';
import { NEVER } from '../../functions/core/stopping.ts';
import type { CheckStep, Destination, Upload } from '../../functions/destinations/contract.ts';
import type { Account } from '../../local/dropbox/oauth.ts';
import { Refusal } from '../../local/dropbox/refusal.ts';
import type { DropboxFake } from '../../local/dropbox/server.ts';
import { openWith, settingsOf, startFake, storedIn } from './dropbox-subject.ts';
import { failure } from './failure.ts';
import { digestOf, sampleBytes } from './sample.ts';

const BLOCK = 4 * MiB;
const BYTES = sampleBytes(3 * BLOCK + 5, 'token');
const PLAN: PartPlan = { size: BYTES.length, partSize: BLOCK, count: 4 };
const FILE = { path: 'html/a.tar', size: BYTES.length, transferId: '0123456789abcdef' };

describe('tokens of a Dropbox', () => {
  let fake: DropboxFake;
  let account: Account;
  let refreshToken: string;
  let destination: Destination;

  beforeAll(async () => {
    fake = await startFake();
  });
  beforeEach(async () => {
    fake.oauth.lifetimeSeconds = 14_400;
    account = fake.addAccount('tokens');
    refreshToken = fake.oauth.connect(fake.app, account);
    destination = await open({});
  });
  afterAll(() => fake.stop());

  const open = (more: object) =>
    openWith({ ...settingsOf(fake, account), DROPBOX_REFRESH_TOKEN: refreshToken, ...more });
  const write = async (upload: Upload, number: number) => {
    const range = partRange(PLAN, number);
    const bytes = BYTES.subarray(range.offset, range.offset + range.length);
    await upload.writePart({ ...range, bytes }, NEVER);
  };
  const begin = () => destination.begin(FILE, PLAN, NEVER);
  const steps = async (on: Destination) => {
    const all: CheckStep[] = [];
    for await (const step of on.check(NEVER)) all.push(step);
    return all;
  };

  it('one serves a whole upload, also for parts that begin at once', async () => {
    const before = fake.oauth.refreshes;
    const upload = await begin();
    await Promise.all([0, 1, 2, 3].map((number) => write(upload, number)));
    await upload.finish(digestOf(BYTES), NEVER);
    expect(fake.oauth.refreshes - before).toBe(1);
  });

  it('one with less than five minutes left is replaced before it is used again', async () => {
    fake.oauth.lifetimeSeconds = 299;
    const upload = await begin();
    const before = fake.oauth.refreshes;
    fake.oauth.lifetimeSeconds = 14_400;
    for (const number of [0, 1, 2, 3]) await write(upload, number);
    expect(fake.oauth.refreshes - before).toBe(1);
    fake.oauth.lifetimeSeconds = 301;
    await upload.finish(digestOf(BYTES), NEVER);
    expect(fake.oauth.refreshes - before).toBe(1);
    expect(await storedIn(account, '/html/a.tar')).toEqual(BYTES);
  });

  it('one that runs out in mid-session is replaced, and the request is sent again', async () => {
    const upload = await begin();
    await write(upload, 0);
    const before = fake.oauth.refreshes;
    fake.oauth.expireAccessTokens();
    await Promise.all([1, 2].map((number) => write(upload, number)));
    fake.oauth.expireAccessTokens();
    await write(upload, 3);
    fake.oauth.expireAccessTokens();
    await upload.finish(digestOf(BYTES), NEVER);
    expect(fake.oauth.refreshes - before).toBe(3);
    expect(await storedIn(account, '/html/a.tar')).toEqual(BYTES);
    fake.oauth.expireAccessTokens();
    let size = 0;
    for await (const chunk of destination.read('html/a.tar', NEVER)) size += chunk.length;
    expect(size).toBe(BYTES.length);
  });

  it('one made with a code verifier needs no secret', async () => {
    const token = fake.oauth.connect(fake.app, account, { pkce: true });
    const open = await openWith({
      ...settingsOf(fake, account),
      DROPBOX_APP_SECRET: '',
      DROPBOX_REFRESH_TOKEN: token,
    });
    const all = await steps(open);
    expect(all.at(-1)?.step).toBe('speed');
    expect(all.flatMap(({ error }) => error ?? [])).toEqual([]);
    await open.close();
  });

  it('a user who disconnects the app in mid-upload is told how to connect again', async () => {
    const upload = await begin();
    await write(upload, 0);
    fake.oauth.revoke(refreshToken);
    const error = await failure(write(upload, 1));
    expect(error).toMatchObject({ code: 'auth-refused', retry: 'never', scope: 'destination' });
    expect(error.message).toContain('ferry dropbox connect');
  });

  it.each([
    ['DROPBOX_APP_SECRET', 'wrong'],
    ['DROPBOX_APP_SECRET', ''],
    ['DROPBOX_APP_KEY', 'nobody'],
  ])('%s = %j: the app is not known', async (name, value) => {
    const wrong = await open({ [name]: value });
    const error = await failure(wrong.begin(FILE, PLAN, NEVER));
    expect(error).toMatchObject({ code: 'auth-refused', retry: 'never' });
    expect(error.message).toMatch(/DROPBOX_APP_KEY and DROPBOX_APP_SECRET/);
    expect((await steps(wrong)).at(-1)).toMatchObject({ step: 'authentication' });
    await wrong.close();
  });

  it.each([
    ['files.metadata.read', 'authentication'],
    ['files.content.write', 'write'],
    ['files.content.read', 'read back'],
  ])(
    'a token without %s: the step, the permission and the way out are told',
    async (scope, step) => {
      const scopes = fake.app.scopes.filter((one) => one !== scope);
      const limited = await open({
        DROPBOX_REFRESH_TOKEN: fake.oauth.connect(fake.app, account, { scopes }),
      });
      const last = (await steps(limited)).at(-1);
      expect(last).toMatchObject({ step, error: { code: 'permission-denied', retry: 'never' } });
      expect(last?.error?.message).toContain(scope);
      expect(last?.error?.message).toContain('ferry dropbox connect');
      expect(account.tree.below('')).toEqual([]);
      await limited.close();
    },
  );

  it('an app without a permission is told like a token without it', async () => {
    const text =
      "Error in call to API function: Your app is not permitted to access this endpoint because it does not have the required scope 'files.content.write'. The owner of the app can enable the scope for the app using the Permissions tab on the App Console.";
    fake.script({ route: 'files/upload_session/start', what: new Refusal(400, text) });
    const error = await failure(begin());
    expect(error).toMatchObject({ code: 'permission-denied', retry: 'never' });
    expect(error.message).toContain('files.content.write');
  });

  it('a token without account_info.read works, and the room that is left is not told', async () => {
    const scopes = fake.app.scopes.filter((one) => one !== 'account_info.read');
    const plain = await open({
      DROPBOX_REFRESH_TOKEN: fake.oauth.connect(fake.app, account, { scopes }),
    });
    const details = async (on: Destination) =>
      (await steps(on)).find(({ step }) => step === 'space')?.detail;
    expect(await details(plain)).toBe('the server does not tell');
    expect(await details(destination)).toMatch(/GiB free$/);
    await plain.begin(FILE, PLAN, NEVER);
    await plain.close();
  });

  it('a server of tokens that answers something else is explained', async () => {
    for (const [status, body] of [
      [200, '<html>Welcome</html>'],
      [200, '{"token_type":"bearer"}'],
      [404, 'nothing here'],
    ] as const) {
      fake.script({ route: 'oauth2/token', what: new Refusal(status, body) });
      const other = await open({});
      const error = await failure(other.stat('x', NEVER));
      expect(error.code).toBe('protocol');
      expect(error.message).toContain('DROPBOX_OAUTH2_ENDPOINT');
      await other.close();
    }
  });
});
