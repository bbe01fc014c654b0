import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { KMSClient } from '@aws-sdk/client-kms';
import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { NO_LIMITS } from '../../functions/core/policy.ts';
import { NEVER } from '../../functions/core/stopping.ts';
import { parseDestination } from '../../functions/destinations/registry.ts';
import { openUnsealer } from '../../functions/secrets/sealing.ts';
import { parseRow } from '../../functions/settings/row.ts';
import { Refusal } from '../../local/dropbox/refusal.ts';
import type { DropboxFake } from '../../local/dropbox/server.ts';
import { type KeyService, startKeyService } from '../../local/key-service.ts';
import { CREDENTIALS, REGION } from '../../local/local-names.ts';
import { type EmbeddedDynamoDb, startDynamoDb } from '../servers/embedded-dynamodb.ts';
import { type CommandLine, everyService, openCommandLine } from './command-line.ts';
import { startFake } from './dropbox-subject.ts';
import { NO_SURROUNDINGS } from './surroundings.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const SECRETS_KEY = 'arn:aws:kms:eu-central-1:111122223333:key/secrets';

/** `ferry dropbox connect` as a person uses it: another process, a link, and a code that is typed. */
describe('ferry dropbox connect', () => {
  let fake: DropboxFake;
  let database: EmbeddedDynamoDb;
  let line: CommandLine;
  let keys: KeyService;
  let kms: KMSClient;
  let userId: string;
  let row: Record<string, unknown>;
  let count = 0;

  beforeAll(async () => {
    fake = await startFake();
    database = await startDynamoDb();
    keys = await startKeyService();
    keys.add(SECRETS_KEY);
    kms = new KMSClient({ endpoint: keys.url, region: REGION, credentials: CREDENTIALS });
    line = await openCommandLine({
      endpoints: { ...everyService(database.endpoint), kms: keys.url },
      outputs: { SettingsTable: database.settingsTable, SecretsKeyArn: SECRETS_KEY },
    });
  });
  /** What the operator of the fake allows; nothing beside Ferry's defaults without it. */
  const allow = (policy: object = { network: { allow: ['127.0.0.0/8'] }, plainHttp: true }) =>
    database.documents.send(
      new PutCommand({
        TableName: database.settingsTable,
        Item: { userId: '#policy', policy: { v: 1, ...policy } },
      }),
    );
  beforeEach(async () => {
    await allow();
    count += 1;
    fake.addAccount(`connect-${count}`);
    userId = `alice-${count}`;
    row = rowWith({ DROPBOX_APP_KEY: fake.app.key, DROPBOX_REMOTE_PATH: '/backups' });
  });
  afterAll(async () => {
    await fake.stop();
    await database.stop();
    await line[Symbol.asyncDispose]();
    kms.destroy();
    await keys[Symbol.asyncDispose]();
  });

  const rowWith = (settings: object, box: object = {}) => ({
    userId,
    note: 'somebody wrote this',
    spec: {
      v: 1,
      schedule: { cron: '30 2 * * *' },
      destinations: {
        nas: { type: 'ssh', settings: { SSH_HOST_NAME: 'nas.example.com', SSH_PORT: 22 } },
        box: {
          type: 'dropbox',
          enabled: false,
          settings: { DROPBOX_OAUTH2_ENDPOINT: fake.endpoint, ...settings },
          ...box,
        },
      },
    },
    status: { v: 1, state: 'invalid' },
  });
  const put = (Item: Record<string, unknown>) =>
    database.documents.send(new PutCommand({ TableName: database.settingsTable, Item }));
  const stored = async () => {
    const Key = { userId };
    const found = await database.documents.send(
      new GetCommand({ TableName: database.settingsTable, Key }),
    );
    return found.Item;
  };
  const ferry = (...args: readonly string[]) => line.ferry(args);
  const connect = (...more: readonly string[]) =>
    ferry('dropbox', 'connect', userId, 'box', '--local', ...more);
  /** Follows the link that is shown and types the code, or what else is to be typed. */
  const person = async (
    process: ChildProcess,
    type: (code: string) => string | Promise<string> = (code) => `${code}\n`,
  ) => {
    let shown = '';
    const followed: Promise<void>[] = [];
    const follow = async (link: string) => {
      const page = await (await fetch(link)).text();
      process.stdin?.end(await type(/<code>(.*)<\/code>/.exec(page)?.[1] ?? ''));
    };
    const read = (chunk: unknown) => {
      shown += String(chunk);
      const link = /https?:\S+authorize\?\S+/.exec(shown)?.[0];
      if (link !== undefined && shown.includes('Code: ') && followed.length === 0) {
        followed.push(follow(link));
      }
    };
    process.stderr?.on('data', read);
    process.stdout?.on('data', read);
    const printed = process.stdout ? text(process.stdout) : '';
    const [code] = await once(process, 'close');
    await Promise.all(followed);
    return { code, shown, printed: await printed };
  };

  it('puts the token into the row, which then works, and changes nothing else', async () => {
    await put(row);
    const { code, shown } = await person(connect());
    expect({ code, shown }).toMatchObject({ code: 0 });

    const now = await stored();
    const token: unknown = now?.spec.destinations.box.settings.DROPBOX_REFRESH_TOKEN;
    expect(token).toEqual({ sealed: expect.stringMatching(/^[\w-]{100,}$/) });
    const expected = rowWith({
      DROPBOX_APP_KEY: fake.app.key,
      DROPBOX_REMOTE_PATH: '/backups',
      DROPBOX_REFRESH_TOKEN: token,
    });
    expect(now).toEqual(expected);
    for (const access of fake.oauth.accessTokens) expect(shown).not.toContain(access);
    expect(shown).toMatch(/DROPBOX_REFRESH_TOKEN of "box" is in the row of "alice-\d+"/);

    const settings = { ...now?.spec.destinations.box.settings, DROPBOX_ENDPOINT: fake.endpoint };
    const parsed = parseDestination('dropbox', settings, NO_LIMITS);
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    const { unseal } = openUnsealer(kms);
    const destination = await parsed.value.open({
      ...NO_SURROUNDINGS,
      async unseal(name, sealed) {
        const secret = await unseal({ userId, destination: 'box' }, name, sealed);
        expect(shown).not.toContain(secret.reveal());
        return secret;
      },
    });
    for await (const { error } of destination.check(NEVER)) expect(error).toBeUndefined();
    await destination.close();
  });

  it('the link asks for a lasting token, and for a proof of who redeems the code', async () => {
    await put(row);
    const { shown } = await person(connect());
    const link = new URL(/https?:\S+authorize\?\S+/.exec(shown)?.[0] ?? '');
    expect(Object.fromEntries(link.searchParams)).toEqual({
      response_type: 'code',
      client_id: fake.app.key,
      token_access_type: 'offline',
      code_challenge_method: 'S256',
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
    });
  });

  it('sends people to Dropbox where the row names no other server', async () => {
    await put(rowWith({ DROPBOX_APP_KEY: 'realapp', DROPBOX_OAUTH2_ENDPOINT: '' }));
    const process = connect();
    process.stdin.end();
    const [printed] = await Promise.all([text(process.stdout), once(process, 'close')]);
    expect(printed).toContain('https://www.dropbox.com/oauth2/authorize?response_type=code&');
    expect(process.exitCode).toBe(1);
  });

  it('takes the key of the app, and puts it into the row where there is none', async () => {
    await put(rowWith({}));
    const without = await person(connect());
    expect(without).toMatchObject({ code: 1, shown: expect.stringMatching(/--app-key/) });
    const { code } = await person(connect('--app-key', fake.app.key));
    expect(code).toBe(0);
    const key = (await stored())?.spec.destinations.box.settings.DROPBOX_APP_KEY;
    expect(key).toBe(fake.app.key);
    const other = await person(connect('--app-key', 'anotherapp'));
    expect(other).toMatchObject({ code: 1, shown: expect.stringMatching(/another app/) });
  });

  it('--json: one document on standard output, everything for people beside it', async () => {
    await put(rowWith({}));
    const { code, printed } = await person(connect('--json', '--app-key', fake.app.key));
    expect(code).toBe(0);
    expect(JSON.parse(printed)).toEqual({
      userId,
      destination: 'box',
      stored: ['DROPBOX_REFRESH_TOKEN', 'DROPBOX_APP_KEY'],
      scopes: fake.app.scopes,
    });
    const failed = await person(connect('--json'), () => 'not-a-code\n');
    expect(failed.code).toBe(1);
    expect(JSON.parse(failed.printed)).toEqual({ error: expect.stringMatching(/code/) });
  });

  it('replaces the token of an earlier time', async () => {
    await put(rowWith({ DROPBOX_APP_KEY: fake.app.key, DROPBOX_REFRESH_TOKEN: 'old' }));
    expect((await person(connect())).code).toBe(0);
    expect((await stored())?.spec.destinations.box.settings.DROPBOX_REFRESH_TOKEN).not.toBe('old');
  });

  it.each([
    ['a code of nobody', () => 'wrong\n', /does not accept the code/],
    ['something that is no code', () => 'two words\n', /not a code/],
    ['nothing', () => '', /No answer came/],
  ])('%s is not redeemed, and the row stays as it was', async (_what, type, words) => {
    await put(row);
    const { code, shown } = await person(connect(), type);
    expect({ code, shown }).toMatchObject({ code: 1, shown: expect.stringMatching(words) });
    expect(await stored()).toEqual(row);
  });

  it('a permission that the app lacks is named, and the token not kept', async () => {
    const scopes = ['account_info.read', 'files.content.write'];
    fake.oauth.addApp({ ...fake.app, key: 'lackingapp', scopes });
    await put(rowWith({ DROPBOX_APP_KEY: 'lackingapp' }));
    const { code, shown } = await person(connect());
    expect(code).toBe(1);
    expect(shown).toMatch(/lacks files\.metadata\.read, files\.content\.read\. Switch that on/);
    expect((await stored())?.spec.destinations.box.settings.DROPBOX_REFRESH_TOKEN).toBeUndefined();
  });

  it('an app that Dropbox does not know, and a token that does not work, are told', async () => {
    await put(row);
    const what = new Refusal(400, { error: 'invalid_client' });
    fake.script({ route: 'oauth2/token', what });
    const unknown = await person(connect());
    expect(unknown).toMatchObject({
      code: 1,
      shown: expect.stringMatching(/no app with this key/),
    });
    const broken = new Refusal(500, 'no');
    fake.script({ route: 'oauth2/token', what: broken, after: 1 });
    const useless = await person(connect());
    expect(useless).toMatchObject({ code: 1, shown: expect.stringMatching(/error of its own/) });
    expect(await stored()).toEqual(row);
  });

  it('a row that changed while the person was in the browser is left alone', async () => {
    await put(row);
    const changed = rowWith({}, { type: 's3' });
    const { code, shown } = await person(connect(), async (typed) => {
      await put(changed);
      return `${typed}\n`;
    });
    expect({ code, shown }).toMatchObject({ code: 1, shown: expect.stringMatching(/meanwhile/) });
    expect(await stored()).toEqual(changed);
  });

  it.each([
    ['a user who has no row', 3, undefined, /no user "alice-\d+"/],
    ['a destination of another type', 1, { type: 's3' }, /is of type s3, not dropbox/],
    ['a destination without settings', 1, { settings: null }, /"settings" as a map/],
  ])('%s is told before anybody follows a link', async (_what, expected, box, words) => {
    if (box) await put(rowWith({ DROPBOX_APP_KEY: fake.app.key }, box));
    const { code, shown } = await person(connect());
    expect({ code, shown }).toMatchObject({ code: expected, shown: expect.stringMatching(words) });
    expect(shown).not.toContain('authorize');
  });

  it('a destination that does not exist is told with those that do', async () => {
    await put({ ...row, spec: { destinations: { nas: {}, cloud: {} } } });
    const { code, shown } = await person(connect());
    expect(code).toBe(3);
    expect(shown).toMatch(/no destination "box"\. It has: \w+, \w+/);
  });

  it('a key that nobody may seal with is told before anybody follows a link', async () => {
    await put(row);
    keys.setEnabled(SECRETS_KEY, false);
    const { code, shown } = await person(connect());
    keys.setEnabled(SECRETS_KEY, true);
    expect({ code, shown }).toMatchObject({ code: 1, shown: expect.stringMatching(/Operator/) });
    expect(shown).not.toContain('authorize');
  });

  it('--new adds the destination, and the user where there is none', async () => {
    const oauth = { DROPBOX_OAUTH2_ENDPOINT: fake.endpoint };
    const nas = { type: 'ssh', settings: { SSH_HOST_NAME: 'nas.example.com' } };
    // Only a row can name another server than Dropbox, so that the login itself is not met here.
    const login = connect('--new', '--app-key', fake.app.key);
    login.stdin.end();
    expect(await text(login.stdout)).toContain('https://www.dropbox.com/oauth2/authorize?');
    expect(await stored()).toBeUndefined();
    await put({
      userId,
      spec: { v: 1, destinations: { nas, box: { type: 'dropbox', settings: oauth } } },
    });
    const { code, shown } = await person(connect('--new', '--app-key', fake.app.key));
    expect({ code, shown }).toMatchObject({ code: 0 });
    expect((await stored())?.spec.destinations).toMatchObject({
      nas,
      box: { settings: { DROPBOX_APP_KEY: fake.app.key } },
    });
  });

  it.each([
    ['an address inside', { plainHttp: true }, /DROPBOX_OAUTH2_ENDPOINT.*127\.0\.0\.1/],
    [
      'plain http',
      { network: { allow: ['127.0.0.0/8'] } },
      /DROPBOX_OAUTH2_ENDPOINT: .*plain http/,
    ],
  ])('%s that the operator does not allow is not connected to', async (_what, policy, words) => {
    await allow(policy);
    await put(row);
    const { code, shown } = await person(connect());
    expect({ code, shown }).toMatchObject({ code: 1, shown: expect.stringMatching(words) });
    expect(shown).not.toMatch(/authorize|Code: /);
    expect(await stored()).toEqual(row);
  });

  it('a token in a staged file is not doubled', async () => {
    await put(rowWith({ DROPBOX_APP_KEY: fake.app.key, DROPBOX_REFRESH_TOKEN_FILE: 'token.txt' }));
    const { code, shown } = await person(connect());
    expect({ code, shown }).toMatchObject({ code: 1, shown: expect.stringMatching(/Remove that/) });
  });

  it('a table that does not exist is told', async () => {
    await using other = await openCommandLine({ endpoints: everyService(database.endpoint) });
    const process = other.ferry(['dropbox', 'connect', userId, 'box', '--local']);
    const { code, shown } = await person(process);
    expect({ code, shown }).toMatchObject({
      code: 1,
      shown: expect.stringMatching(/does not know/),
    });
  });

  it.each([
    [['dropbox', 'connect', 'alice'], /missing required argument 'destination'/],
    [['dropbox', 'connect', 'alice', 'box', '--app'], /unknown option '--app'/],
    [['dropbox', 'connect', 'a', 'b', 'c'], /too many arguments/],
    [['dropbox', 'connect', 'alice', 'Box'], /A destination is called by/],
  ])('%j is answered with what is wrong, and 2', async (args, words) => {
    const { code, shown, printed } = await person(ferry(...args));
    expect({ code, shown }).toMatchObject({ code: 2, shown: expect.stringMatching(words) });
    expect(printed).toBe('');
  });

  it('npx ferry works in a clone', async () => {
    const npx = spawn('npx', ['--offline', 'ferry', '--help'], { cwd: ROOT });
    expect(await person(npx)).toMatchObject({ code: 0, printed: expect.stringMatching(/dropbox/) });
  });

  it('leaves a row that Ferry accepts', async () => {
    const { status: _, note: __, ...rest } = row;
    const spec = {
      v: 1,
      destinations: { box: { type: 'dropbox', settings: { DROPBOX_APP_KEY: fake.app.key } } },
    };
    Object.assign(spec.destinations.box.settings, { DROPBOX_OAUTH2_ENDPOINT: fake.endpoint });
    await put({ ...rest, spec });
    expect(parseRow(await stored(), parseDestination, NO_LIMITS).ok).toBe(false);
    expect((await person(connect())).code).toBe(0);
    expect(parseRow(await stored(), parseDestination, NO_LIMITS)).toMatchObject({ ok: true });
  });
});
