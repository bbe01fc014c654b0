import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { z } from 'zod';
import { addDestination } from '../../cli/destination-settings.ts';
import { openFerry } from '../../cli/ferry.ts';
import { destinationTypes } from '../../functions/destinations/registry.ts';
import { openRunsTable } from '../../functions/runs/runs-table.ts';
import { DeliveryLog } from '../../local/delivery-log.ts';
import { serverFor } from '../../local/destinations.ts';
import { announceFerry, type LocalFerry, startLocalFerry } from '../../local/local-ferry.ts';
import { runningFerryFile } from '../../local/running-ferry.ts';
import { runCommand } from '../contract/command-line.ts';

const TYPES = destinationTypes.map(({ type }) => type);
const PASSWORD = 'a pass # word';
const SLOW = { timeout: 240_000 };

let folder: string;
let ferry: LocalFerry;
const started = new AsyncDisposableStack();
const before = process.env.TMPDIR;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ferry-commands-'));
  process.env.TMPDIR = folder;
  const users = TYPES.map((type) => ({
    id: `login-${type}`,
    archives: [],
    backUp: 'everything' as const,
    destinations: { place: { type, password: PASSWORD } },
  }));
  await mkdir(join(folder, 'scratch'));
  ferry = started.use(
    await startLocalFerry({
      users,
      scratch: join(folder, 'scratch'),
      signal: AbortSignal.timeout(180_000),
      say: () => {},
      log: new DeliveryLog(),
    }),
  );
  started.use(await announceFerry(ferry));
}, 240_000);

afterAll(async () => {
  await started.disposeAsync();
  if (before === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = before;
  await rm(folder, { recursive: true, force: true });
});

/** `ferry … --local --json`: the exit status, the document, and what was told beside it. */
const ask = (...args: readonly string[]) => runCommand([...args, '--local', '--json']);

/** What a user types for the server of this type; nothing of it is Ferry's own. */
const settingsFor = (type: string) =>
  serverFor(type, ferry.destinations).settingsFor(`login-${type}`, PASSWORD);

const specFor = (type: string, settings: object = settingsFor(type)) => ({
  v: 1,
  schedule: { cron: '30 2 * * *', timeZone: 'Europe/Berlin' },
  destinations: { place: { type, settings } },
});

async function write(name: string, content: string): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, content);
  return file;
}

/** Stages an archive, runs the user, and holds the receipt against what was staged. */
async function expectBackup(userId: string, destination: string): Promise<void> {
  const content = `of ${userId}`.repeat(20_000);
  const file = await write(`${userId}.tar`, content);
  expect(await ask('stage', userId, file, '--component', 'html')).toMatchObject({
    status: 0,
    document: { key: `${userId}/html/${userId}.tar`, bytes: content.length },
  });
  expect(await ask('run', userId, '--wait')).toMatchObject({
    status: 0,
    document: { outcomes: [{ destination, state: 'succeeded', archives: 1 }] },
  });
  expect(await ask('receipts', userId)).toMatchObject({
    status: 0,
    document: [
      {
        destination,
        archive: { component: 'html', file: `${userId}.tar` },
        digest: { sha256: createHash('sha256').update(content).digest('hex') },
      },
    ],
  });
}

describe.each(TYPES)('a user of %s', (type) => {
  it('is configured by a file, tested, run, switched off and removed', SLOW, async () => {
    const id = `yaml-${type}`;
    const { SSH_HOST_KEY, ...settings } = settingsFor(type);
    const file = await write(`${id}.yaml`, stringify(specFor(type, settings)));
    expect(await ask('user', 'put', id, '--file', file)).toMatchObject({
      status: 0,
      document: { userId: id, state: 'valid', nextRun: expect.stringMatching(/T0[01]:30:00Z$/) },
    });

    const shown = await ask('user', 'show', id);
    expect(shown).toMatchObject({ status: 0, document: { status: { state: 'valid' } } });
    for (const told of [shown.printed, (await ask('export', id)).printed]) {
      expect(told).not.toContain(PASSWORD);
      for (const secret of secretsOf(type, settings)) expect(told).not.toContain(secret);
    }

    if (SSH_HOST_KEY !== undefined) {
      expect(await ask('check', id)).toMatchObject({
        status: 1,
        document: { destinations: [{ ok: false }] },
        told: expect.stringContaining('--accept-host-key'),
      });
      expect(await ask('check', id, 'place', '--accept-host-key')).toMatchObject({ status: 0 });
      const pinned = { spec: { destinations: { place: { settings: { SSH_HOST_KEY } } } } };
      expect(await ask('user', 'show', id)).toMatchObject({ document: pinned });
    }
    const checked = await ask('check', id);
    expect(checked).toMatchObject({ status: 0, document: { destinations: [{ type, ok: true }] } });

    await expectBackup(id, 'place');
    expect(await ask('runs', id)).toMatchObject({
      document: [{ destination: 'place', state: 'succeeded', archives: 1 }],
    });

    const exported = await ask('export', id);
    const again = await write(`${id}.json`, JSON.stringify(exported.document));
    expect(await ask('user', 'put', id, '--file', again)).toMatchObject({ status: 0 });
    expect(await ask('run', id, '--wait')).toMatchObject({
      status: 0,
      document: { outcomes: [{ state: 'skipped' }] },
    });

    expect(await ask('user', 'disable', id, 'place')).toMatchObject({ status: 0 });
    expect(await ask('run', id)).toMatchObject({
      status: 1,
      told: expect.stringMatching(/switched off/),
    });
    expect(await ask('user', 'enable', id, 'place')).toMatchObject({ status: 0 });
    expect(await ask('user', 'remove', id)).toMatchObject({ status: 2 });
    expect(await ask('user', 'remove', id, '--yes')).toMatchObject({ status: 0 });
    expect(await ask('user', 'show', id)).toMatchObject({ status: 3 });
  });

  it('comes from an environment file, and gets a backup', SLOW, async () => {
    const id = `env-${type}`;
    const lines = Object.entries(settingsFor(type)).map(([name, value]) => {
      return `export ${name}="${String(value).replace(/[\\"$]/g, '\\$&')}" # as it was`;
    });
    const file = await write(
      `${id}.env`,
      [
        ...['# OpenPanel', 'BACKUP_CRON_EXPRESSION="0 30 2 * * *"', 'TZ=Europe/Berlin'],
        ...['BACKUP_COMPRESSION=zst', ...lines, ''],
      ].join('\n'),
    );
    expect(await ask('import', id, file, '--dry-run')).toMatchObject({
      status: 0,
      document: { written: false, notes: [{ name: 'BACKUP_COMPRESSION', line: 4 }] },
    });
    expect(await ask('user', 'show', id)).toMatchObject({ status: 3 });
    expect(await ask('import', id, file)).toMatchObject({
      status: 0,
      document: { written: true, state: 'valid' },
    });
    await expectBackup(id, type);
  });

  it("is written with the console's JSON, and gets a backup", SLOW, async () => {
    const id = `json-${type}`;
    const Item = marshall({ userId: id, spec: specFor(type) });
    const { dynamodb, name: TableName } = ferry.settingsTable;
    await dynamodb.send(new PutItemCommand({ TableName, Item }));
    await expectBackup(id, 'place');
  });
});

describe('the command line', () => {
  it('cancels a run that waits for another try', SLOW, async () => {
    const id = 'yaml-waiting';
    const file = await write(`${id}.yaml`, stringify(specFor('ssh')));
    await ask('user', 'put', id, '--file', file);
    await ask('stage', id, file);
    const slot = '2026-11-22T03:00:00Z';
    const job = { userId: id, slot, destination: 'place', hop: 2 };
    const runs = openRunsTable(
      DynamoDBDocumentClient.from(ferry.services.dynamodb, {
        marshallOptions: { removeUndefinedValues: true },
      }),
      ferry.topology.output('RunsTable'),
    );
    await runs.saveJob(job, {
      ...{ v: 1, jobId: `${id}#${slot}#place`, state: 'running', hop: 2, fence: 0 },
      ...{ startedAt: slot, archives: 0, bytes: 0, errors: [], expectedBy: slot },
    });
    expect(await ask('cancel', id)).toMatchObject({
      status: 0,
      document: [{ slot, state: 'skipped', reason: expect.stringContaining('cancelled') }],
    });
    expect(await ask('cancel', id)).toMatchObject({ status: 3 });
  });

  it('refuses settings with place and remedy, and writes nothing', SLOW, async () => {
    const { SSH_HOST_NAME, ...settings } = settingsFor('ssh');
    const spec = specFor('ssh', { ...settings, SSH_HOSTNAME: SSH_HOST_NAME });
    const file = await write('wrong.yaml', stringify(spec));
    const path = 'spec.destinations.place.settings.SSH_HOSTNAME';
    expect(await ask('user', 'put', 'wrong', '--file', file)).toMatchObject({
      status: 1,
      document: { problems: expect.arrayContaining([expect.objectContaining({ path })]) },
      told: expect.stringMatching(/SSH_HOST_NAME\?/),
    });
    expect(await ask('user', 'show', 'wrong')).toMatchObject({ status: 3 });
  });

  it(
    'refuses a port and an address that the operator does not allow, by every way to write',
    SLOW,
    async () => {
      const settings = { ...settingsFor('ssh'), SSH_PORT: 9 };
      const problems = [
        {
          path: 'spec.destinations.place.settings.SSH_PORT',
          rule: 'network',
          remedy: expect.any(String),
        },
      ];
      const file = await write('port.yaml', stringify(specFor('ssh', settings)));
      const refused = { status: 1, document: { problems } };
      expect(await ask('user', 'put', 'port', '--file', file)).toMatchObject(refused);
      const elsewhere = specFor('ssh', { ...settingsFor('ssh'), SSH_HOST_NAME: '10.0.0.5' });
      const address = await write('address.yaml', stringify(elsewhere));
      expect(await ask('user', 'put', 'port', '--file', address)).toMatchObject({
        status: 1,
        document: { problems: [{ path: 'spec.destinations.place.settings.SSH_HOST_NAME' }] },
      });
      const env = await write(
        'port.env',
        Object.entries(settings)
          .map(([name, value]) => `${name}='${value}'\n`)
          .join(''),
      );
      const path = 'spec.destinations.ssh.settings.SSH_PORT';
      expect(await ask('import', 'port', env)).toMatchObject({
        status: 1,
        document: { problems: [{ path }] },
      });
      expect(await ask('user', 'show', 'port')).toMatchObject({ status: 3 });

      const right = await write('right.yaml', stringify(specFor('ssh')));
      expect(await ask('user', 'put', 'port', '--file', right)).toMatchObject({ status: 0 });
      const seen = (await ask('export', 'port')).document;
      const editor = `sed -i 's/SSH_PORT: .*/SSH_PORT: 9/'`;
      const edited = await runCommand(['user', 'edit', 'port', '--local', '--json'], {
        EDITOR: editor,
      });
      expect(edited).toMatchObject(refused);
      expect((await ask('export', 'port')).document).toEqual(seen);
    },
  );

  it(
    'lets settings be edited: secrets stay, and what is wrong is told until it is right',
    SLOW,
    async () => {
      const id = 'edited';
      const file = await write(`${id}.yaml`, stringify(specFor('webdav')));
      await ask('user', 'put', id, '--file', file);
      const before = (await ask('export', id)).document;
      const editor = await write(
        'editor.sh',
        `#!/bin/sh
grep -q '${PASSWORD}' "$1" && exit 9
if grep -q '^#! ' "$1"; then sed -i 's/WEBDAV_PTH/WEBDAV_PATH/; s/: backups/: other/' "$1"
else sed -i 's/WEBDAV_PATH/WEBDAV_PTH/' "$1"; fi
`,
      );
      const edit = (EDITOR: string) =>
        runCommand(['user', 'edit', id, '--local', '--json'], { EDITOR });
      expect(await edit(`sh ${editor}`)).toMatchObject({ status: 0, document: { changed: true } });
      const settings = { WEBDAV_PATH: 'other', WEBDAV_PASSWORD: { sealed: expect.any(String) } };
      const after = (await ask('export', id)).document;
      expect(after).toMatchObject({ spec: { destinations: { place: { settings } } } });
      expect(before).not.toEqual(after);
      expect(await edit('true')).toMatchObject({ status: 0, document: { changed: false } });
      expect(await edit('false')).toMatchObject({ status: 1 });
    },
  );

  it('stages what comes by standard input, of any size', SLOW, async () => {
    const content = Buffer.alloc(20 * 1024 * 1024, 'x');
    const args = ['stage', 'piped', '-', '--name', 'all.sql', '--component', 'mysql'];
    const piped = await runCommand([...args, '--local', '--json'], {}, content);
    expect(piped).toMatchObject({ status: 0, document: { bytes: content.length } });
    expect(piped.told).toContain('no user "piped" yet');
    expect(await ask('stage', 'piped', '-')).toMatchObject({ status: 2 });
  });

  it('lists users, for people and for programs', SLOW, async () => {
    const file = await write('listed.yaml', stringify(specFor('s3')));
    await ask('user', 'put', 'listed', '--file', file);
    const { document } = await ask('user', 'list');
    expect(document).toContainEqual(expect.objectContaining({ userId: 'listed', state: 'valid' }));
    expect(JSON.stringify(document)).not.toContain('#');
    const { printed } = await runCommand(['user', 'list', '--local']);
    expect(printed).toMatch(/listed +valid +2\d{3}-/);
  });

  it(
    'tells apart what is wrong with words, with names, and with Ferry not being there',
    SLOW,
    async () => {
      expect(await ask('usr')).toMatchObject({
        status: 2,
        document: { error: expect.any(String) },
      });
      expect(await ask('runs', 'nobody')).toMatchObject({ status: 3 });
      const { told: noUser } = await ask('user', 'show', 'nobody');
      expect(noUser).toContain('There is no user "nobody". "ferry user put" makes one');
      for (const words of [['check'], ['run'], ['runs'], ['receipts'], ['export'], ['cancel']]) {
        expect(await ask(...words, 'nobody')).toMatchObject({ status: 3, told: noUser });
      }
      const slot = ['--slot', '2026-11-22T03:00:00Z'];
      expect(await ask('cancel', 'nobody', 'nas', ...slot)).toMatchObject({ told: noUser });
      const noPlace = {
        status: 3,
        told: expect.stringContaining('no destination "nowhere". It has: place.'),
      };
      for (const word of ['check', 'run', 'runs', 'receipts', 'cancel']) {
        expect(await ask(word, 'listed', 'nowhere')).toMatchObject(noPlace);
      }
      expect(await ask('cancel', 'listed', 'nowhere', ...slot)).toMatchObject(noPlace);
      expect(await ask('user', 'list', '--stage', 'prod')).toMatchObject({
        status: 2,
        told: expect.stringContaining('--stage is for a Ferry in AWS'),
      });
      expect(await ask('check', 'listed', 'place', '--accept-host-key', 'SHA1:x')).toMatchObject({
        status: 2,
        told: expect.stringContaining('A fingerprint is'),
      });
      const elsewhere = { TMPDIR: join(folder, 'scratch') };
      expect(await runCommand(['user', 'list', '--local'], elsewhere)).toMatchObject({
        status: 3,
        told: expect.stringContaining('npm start'),
      });
    },
  );

  it('adds a destination to a user, who is made where there is none', SLOW, async () => {
    using open = await openFerry({ local: true, stage: 'none' });
    const add = (destination: string) =>
      addDestination(open, { userId: 'added', destination }, 's3', settingsFor('s3'));
    await add('cloud');
    await add('second');
    const type = 's3';
    expect(await ask('user', 'show', 'added')).toMatchObject({
      document: { spec: { v: 1, destinations: { cloud: { type }, second: { type } } } },
    });
  });

  it('sets what the operator allows, against which settings are held', SLOW, async () => {
    const { document } = await ask('policy', 'show');
    const { written } = z.object({ written: z.record(z.string(), z.unknown()) }).parse(document);
    const broken = await write('broken.yaml', 'v: 1\ntyps: [s3]\n');
    expect(await ask('policy', 'set', '--file', broken)).toMatchObject({
      status: 1,
      document: { problems: [{ path: 'policy.typs' }] },
    });
    expect(await ask('policy', 'set', '--file', await write('no.yaml', ''))).toMatchObject({
      status: 1,
      told: expect.stringMatching(/no\.yaml holds no policy\./),
    });
    const own = await write('judged.yaml', stringify(specFor('webdav')));
    expect(await ask('user', 'put', 'judged', '--file', own)).toMatchObject({ status: 0 });
    const narrow = await write('narrow.yaml', stringify({ ...written, types: ['s3'] }));
    expect(await ask('policy', 'set', '--file', narrow)).toMatchObject({ status: 0 });
    const file = await write('refused.yaml', stringify(specFor('webdav')));
    expect(await ask('user', 'put', 'refused', '--file', file)).toMatchObject({
      status: 1,
      document: { problems: [{ path: 'spec.destinations.place.type' }] },
      told: expect.stringContaining('operator'),
    });
    expect(await ask('check', 'judged')).toMatchObject({ status: 1 });
    const before = await write('before.json', JSON.stringify(written));
    expect(await ask('policy', 'set', '--file', before)).toMatchObject({ status: 0 });
    // By what is allowed now, not a minute later.
    expect(await ask('check', 'judged')).toMatchObject({ status: 0 });
    expect(await ask('user', 'put', 'refused', '--file', file)).toMatchObject({ status: 0 });
  });

  it('reaches Ferry by a file that nobody else may read', async () => {
    const { mode } = await import('node:fs').then(({ statSync }) => statSync(runningFerryFile()));
    expect(mode & 0o777).toBe(0o600);
  });
});

function secretsOf(type: string, settings: Readonly<Record<string, string | number>>): string[] {
  const secrets = destinationTypes.find((each) => each.type === type)?.secrets ?? [];
  // The embedded S3 takes any key, and this one is the word "local".
  return secrets.map((name) => String(settings[name] ?? '')).filter((value) => value.length > 8);
}
