import { once } from 'node:events';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { DeleteCommand, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { type KeyService, startKeyService } from '../../local/key-service.ts';
import { type EmbeddedDynamoDb, startDynamoDb } from '../servers/embedded-dynamodb.ts';
import { type Front, type Reaction, startFront } from '../servers/http-front.ts';
import { type CommandLine, everyService, openCommandLine } from './command-line.ts';

const SECRETS_KEY = 'arn:aws:kms:eu-central-1:111122223333:key/secrets';

/** What happens to rows between a look of the command line at them and its write. */
describe('a row that is written with the command line', () => {
  let database: EmbeddedDynamoDb;
  let front: Front;
  let keys: KeyService;
  let line: CommandLine;
  let folder: string;
  let userId: string;
  let count = 0;

  beforeAll(async () => {
    database = await startDynamoDb();
    front = await startFront(database.endpoint);
    keys = await startKeyService();
    keys.add(SECRETS_KEY);
    line = await openCommandLine({
      endpoints: { ...everyService(front.endpoint), kms: keys.url },
      outputs: { SettingsTable: database.settingsTable, SecretsKeyArn: SECRETS_KEY },
    });
  });
  beforeEach(async () => {
    count += 1;
    userId = `alice-${count}`;
    folder = join(tmpdir(), `rows-written-${process.pid}-${count}`);
    await mkdir(folder);
    front.react(() => undefined);
    return () => rm(folder, { recursive: true });
  });
  afterAll(async () => {
    await front.stop();
    await database.stop();
    await line[Symbol.asyncDispose]();
    await keys[Symbol.asyncDispose]();
  });

  const specOf = (host: string) => ({
    v: 1,
    destinations: {
      nas: { type: 'ssh', settings: { SSH_HOST_NAME: host, SSH_USER: 'b', SSH_PASSWORD: 'p' } },
    },
  });
  const put = (spec: unknown, status?: object) =>
    database.documents.send(
      new PutCommand({ TableName: database.settingsTable, Item: { userId, spec, status } }),
    );
  const stored = async () => {
    const command = new GetCommand({ TableName: database.settingsTable, Key: { userId } });
    return (await database.documents.send(command)).Item;
  };
  const write = async (name: string, content: string) => {
    const file = join(folder, name);
    await writeFile(file, content);
    return file;
  };
  const run = async (args: readonly string[], environment = {}) => {
    const running = line.ferry([...args, '--local'], environment);
    running.stdin.end();
    const [[status], told] = await Promise.all([
      once(running, 'close'),
      text(running.stderr),
      text(running.stdout),
    ]);
    return { status, told };
  };
  /** Before the row is written for the first time. */
  const beforeWrite = (happens: () => Promise<Reaction>) => {
    let isDue = true;
    front.react(async ({ headers }) => {
      if (!isDue || !String(headers['x-amz-target']).endsWith('.UpdateItem')) return undefined;
      isDue = false;
      return happens();
    });
  };
  const meanwhile = (spec: unknown, status?: object) =>
    beforeWrite(async () => void (await put(spec, status)));

  const envFile = () =>
    write('backup.env', 'SSH_HOST_NAME=mine.example.com\nSSH_USER=b\nSSH_PASSWORD=p\n');

  it('does not overwrite a user whom somebody else makes at the same time', async () => {
    const theirs = specOf('theirs.example.com');
    const file = await write('alice.yaml', stringify(specOf('mine.example.com')));
    meanwhile(theirs);
    const { status, told } = await run(['user', 'put', userId, '--file', file]);
    expect({ status, told }).toMatchObject({
      status: 1,
      told: expect.stringMatching(/somebody else has made "alice-\d+".*run this again/is),
    });
    expect((await stored())?.spec).toEqual(theirs);
  });

  it('is not replaced by an import without --replace, however late somebody makes it', async () => {
    const theirs = specOf('theirs.example.com');
    const file = await envFile();
    meanwhile(theirs);
    expect(await run(['import', userId, file])).toMatchObject({ status: 1 });
    expect((await stored())?.spec).toEqual(theirs);
  });

  it.each([
    ['that is not there', 'none.yaml', undefined, 2, /^There is no file \S+none\.yaml\.$/m],
    ['that is a folder', '', undefined, 2, /is a folder\. Name a file in it\.$/m],
    ['with tabs', 'tabs.yaml', 'v: 1\ndestinations:\n\tnas: {}\n', 1, /line 3, column 1\.$/m],
    ['that is empty', 'empty.yaml', '', 1, /^\S+empty\.yaml holds no settings\.$/m],
    ['that is no YAML', 'no.yaml', 'v: [1', 1, /^\S+no\.yaml is no YAML: .* line 1/m],
  ])(
    'cannot come from a file %s, in words that say so',
    async (_what, name, content, code, words) => {
      const file = content === undefined ? join(folder, name) : await write(name, content);
      const { status, told } = await run(['user', 'put', userId, '--file', file]);
      expect({ status, told }).toMatchObject({ status: code, told: expect.stringMatching(words) });
      expect(await stored()).toBeUndefined();
    },
  );

  describe('in an editor', () => {
    const editor = () =>
      write(
        'editor.sh',
        `sed -i 's/old.example/typed.example/; s/SSH_PASSWORD: .*/SSH_PASSWORD: hush/' "$1"\n`,
      );
    const edit = async () => run(['user', 'edit', userId], { EDITOR: `sh ${await editor()}` });
    const expectKept = async (told: string) => {
      const file = /in (\/\S+\.yaml)/.exec(told)?.[1] ?? '';
      expect(await readFile(file, 'utf8')).toMatch(/typed\.example\.com[\s\S]*SSH_PASSWORD: hush/);
      expect((await stat(file)).mode & 0o777).toBe(0o600);
      expect((await stat(dirname(file))).mode & 0o777).toBe(0o700);
      expect(told).toContain(`rm -r ${dirname(file)}`);
      expect(told).not.toContain('hush');
      expect(await readdir(dirname(file))).toHaveLength(1);
    };

    it('is kept as it was typed where somebody else was faster', async () => {
      await put(specOf('old.example.com'), { v: 1, state: 'valid', specHash: 'old' });
      const theirs = specOf('theirs.example.com');
      meanwhile(theirs, { v: 1, state: 'valid', specHash: 'new' });
      const { status, told } = await edit();
      expect({ status, told }).toMatchObject({
        status: 1,
        told: expect.stringMatching(/meanwhile/),
      });
      await expectKept(told);
      expect((await stored())?.spec).toEqual(theirs);
    });

    it('is kept as it was typed where it cannot be written', async () => {
      await put(specOf('old.example.com'));
      beforeWrite(async () => ({
        status: 400,
        headers: { 'content-type': 'application/x-amz-json-1.0' },
        body: JSON.stringify({ __type: 'x#AccessDeniedException', message: 'no' }),
      }));
      const { status, told } = await edit();
      expect({ status, told }).toMatchObject({ status: 1, told: expect.stringMatching(/allow/) });
      await expectKept(told);
    });

    it('is not made again where somebody removed the user', async () => {
      await put(specOf('old.example.com'));
      beforeWrite(async () => {
        await database.documents.send(
          new DeleteCommand({ TableName: database.settingsTable, Key: { userId } }),
        );
        return undefined;
      });
      const { status, told } = await edit();
      expect(status).toBe(1);
      await expectKept(told);
      expect(await stored()).toBeUndefined();
    });

    it('is kept as it was typed where it is wrong and is given up', async () => {
      await put(specOf('old.example.com'));
      const script = await write(
        'once.sh',
        `grep -q '^#! ' "$1" || sed -i 's/old.example/typed.example/; s/SSH_USER/SSH_USR/; s/SSH_PASSWORD: .*/SSH_PASSWORD: hush/' "$1"\n`,
      );
      const { status, told } = await run(['user', 'edit', userId], { EDITOR: `sh ${script}` });
      expect(status).toBe(1);
      await expectKept(told);
      expect((await stored())?.spec).toEqual(specOf('old.example.com'));
    });
  });
});
