import { KMSClient } from '@aws-sdk/client-kms';
import {
  type DynamoDBDocumentClient,
  GetCommand,
  NumberValue,
  PutCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { Temporal } from 'temporal-polyfill';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { jobId } from '../../functions/core/job.ts';
import { NO_LIMITS } from '../../functions/core/policy.ts';
import {
  destinationTypes,
  findReadableSecrets,
  parseDestination,
} from '../../functions/destinations/registry.ts';
import { connectDynamoDb } from '../../functions/platform/clients.ts';
import { openRunsTable } from '../../functions/runs/runs-table.ts';
import {
  openSealer,
  openUnsealer,
  type Sealer,
  type Unsealer,
} from '../../functions/secrets/sealing.ts';
import { openSettingsTable } from '../../functions/settings/table.ts';
import { type CheckTools, checkAll } from '../../functions/settings-changed/check-settings.ts';
import { readJobSettings } from '../../functions/transfer/job-settings.ts';
import { type KeyService, startKeyService } from '../../local/key-service.ts';
import { CREDENTIALS, REGION } from '../../local/local-names.ts';
import { generateSshKey } from '../../local/ssh-key.ts';
import { type EmbeddedDynamoDb, startDynamoDb } from '../servers/embedded-dynamodb.ts';
import { failure } from './failure.ts';
import { NO_SURROUNDINGS } from './surroundings.ts';

const KEY = 'arn:aws:kms:us-east-1:000000000000:key/secrets';
const PASSWORD = 'tr0ub4dor & 3';
const HOST = { SSH_HOST_NAME: 'nas.example.com', SSH_USER: 'ada' };
const NAS = { type: 'ssh', settings: { ...HOST, SSH_PASSWORD: PASSWORD } };

let dynamo: EmbeddedDynamoDb;
let documents: DynamoDBDocumentClient;
let keys: KeyService;
let kms: KMSClient;
let sealer: Sealer;
let unsealer: Unsealer;
let rows: ReturnType<typeof openRows>;
let log: string[];
let userId: string;
let users = 0;

const openRows = () =>
  openSettingsTable(documents, 'settings', parseDestination, async () => NO_LIMITS);

beforeAll(async () => {
  dynamo = await startDynamoDb();
  vi.stubEnv('AWS_ENDPOINT_URL_DYNAMODB', dynamo.endpoint);
  vi.stubEnv('AWS_REGION', REGION);
  vi.stubEnv('AWS_ACCESS_KEY_ID', CREDENTIALS.accessKeyId);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', CREDENTIALS.secretAccessKey);
  documents = connectDynamoDb();
  keys = await startKeyService();
  keys.add(KEY);
  kms = new KMSClient({ endpoint: keys.url, region: REGION, credentials: CREDENTIALS });
  sealer = openSealer(kms, KEY);
  unsealer = openUnsealer(kms);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  kms.destroy();
  await keys[Symbol.asyncDispose]();
  await dynamo.stop();
});
beforeEach(() => {
  users += 1;
  userId = `ada-${users}`;
  rows = openRows();
  log = [];
});

const specWith = (destinations: object) => ({ v: 1, destinations });
const put = (spec: unknown, rest: object = {}) =>
  documents.send(new PutCommand({ TableName: 'settings', Item: { userId, spec, ...rest } }));

/** Changes one setting of "nas" as somebody does with an update. */
const set = (name: string, value: unknown) =>
  documents.send(
    new UpdateCommand({
      TableName: 'settings',
      Key: { userId },
      UpdateExpression: 'SET spec.destinations.nas.settings.#n = :v',
      ExpressionAttributeNames: { '#n': name },
      ExpressionAttributeValues: { ':v': value },
    }),
  );

const itemSchema = z.looseObject({
  spec: z.looseObject({
    destinations: z.record(
      z.string(),
      z.looseObject({ settings: z.record(z.string(), z.unknown()) }),
    ),
  }),
  status: z
    .looseObject({
      state: z.string(),
      specHash: z.string().optional(),
      problems: z.array(z.object({ path: z.string(), problem: z.string(), remedy: z.string() })),
    })
    .optional(),
});
const stored = async () => {
  const { Item } = await documents.send(
    new GetCommand({ TableName: 'settings', Key: { userId }, ConsistentRead: true }),
  );
  return Item;
};
const row = async () => itemSchema.parse(await stored());
const settingsOf = async (name = 'nas') => (await row()).spec.destinations[name]?.settings ?? {};
const problems = async () =>
  (await row()).status?.problems.map(({ path }) => path.replace(/^spec\.destinations\./, ''));

const note = (message: string, fields: object) => void log.push(JSON.stringify([message, fields]));
const check = (over: Partial<CheckTools> = {}) =>
  checkAll(
    {
      rows,
      secrets: { find: findReadableSecrets, seal: sealer.seal },
      spread: { minutes: 0, shards: 1 },
      metrics: { rowRefused() {} },
      raise: async () => {},
      history: { async *jobs() {}, report: async () => {} },
      log: { info: note, warn: note },
      now: () => Temporal.Instant.from('2026-11-22T12:00:00Z'),
      ...over,
    },
    [userId],
  );

const SEALED = { sealed: expect.stringMatching(/^[\w-]{200,}$/) };
const open = async (setting: string, destination = 'nas') => {
  const { sealed } = z
    .looseObject({ sealed: z.string() })
    .parse((await settingsOf(destination))[setting]);
  return (await unsealer.unseal({ userId, destination }, setting, sealed)).reveal();
};

describe('a secret in a row that was written', () => {
  it('is sealed where it stands, and the row is valid and planned by the same write', async () => {
    await put(specWith({ nas: NAS }));
    expect(await check()).toEqual(new Set());
    expect(await settingsOf()).toEqual({ ...HOST, SSH_PASSWORD: SEALED });
    expect(await row()).toMatchObject({
      dueAt: '2026-11-23T00:00:00Z',
      status: { state: 'valid', problems: [], specHash: expect.any(String) },
    });
    expect(await open('SSH_PASSWORD')).toBe(PASSWORD);
    expect(log.join()).not.toContain(PASSWORD);
  });

  it('comes to rest: a row with sealed secrets is not written again', async () => {
    await put(specWith({ nas: NAS }));
    await check();
    const before = await stored();
    const save = vi.fn(rows.save);
    await check({ rows: { ...rows, save } });
    expect(save).not.toHaveBeenCalled();
    expect(await stored()).toEqual(before);
  });

  it('is sealed anew when somebody enters another one, and no other is touched', async () => {
    await put(specWith({ nas: NAS, attic: NAS }));
    await check();
    const attic = await settingsOf('attic');
    await set('SSH_PASSWORD', 'correct horse');
    await check();
    expect(await open('SSH_PASSWORD')).toBe('correct horse');
    expect(await settingsOf('attic')).toEqual(attic);
  });

  it.each([
    ['a number', 8_675_309, '8675309'],
    [
      'a number that JavaScript would change',
      NumberValue.from('12345678901234567890'),
      '12345678901234567890',
    ],
    ['digits as text', '12345678901234567890', '12345678901234567890'],
    ['more digits than a number can have', '1'.repeat(60), '1'.repeat(60)],
    ['a switch', true, 'true'],
    ['text with spaces around it', '  open sesame ', '  open sesame '],
  ])('may be %s', async (_what, value, text) => {
    await put(specWith({ nas: { type: 'ssh', settings: { ...HOST, SSH_PASSWORD: value } } }));
    expect(await check()).toEqual(new Set());
    expect(await open('SSH_PASSWORD')).toBe(text);
    expect(await row()).toMatchObject({ status: { state: 'valid' } });
  });

  it.each([
    ['a map', { S: PASSWORD }],
    ['a list', [PASSWORD]],
    ['a set', new Set([PASSWORD])],
    ['a map that looks sealed', { sealed: PASSWORD }],
  ])('that is %s is sealed, and stays a problem until it is replaced', async (_what, value) => {
    await put(specWith({ nas: { type: 'ssh', settings: { ...HOST, SSH_PASSWORD: value } } }));
    expect(await check()).toEqual(new Set());
    expect(JSON.stringify(await stored())).not.toContain(PASSWORD);
    expect(await problems()).toEqual(['nas.settings.SSH_PASSWORD']);
    await set('SSH_PORT', 2222);
    await check();
    expect(await problems()).toEqual(['nas.settings.SSH_PASSWORD']);
    await set('SSH_PASSWORD', PASSWORD);
    await check();
    expect(await problems()).toEqual([]);
  });

  it.each([
    ['the row has problems elsewhere', { nas: NAS, attic: { type: 'webdav', settings: {} } }],
    ['its destination has no type', { nas: { settings: NAS.settings } }],
    ['its destination has a misspelt type', { nas: { ...NAS, type: 'shh' } }],
    ['its destination is of another type', { nas: { ...NAS, type: 's3' } }],
    ['its destination has a name that nobody can have', { 'My NAS.2': NAS }],
    [
      'there are too many destinations',
      Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`nas-${n}`, NAS])),
    ],
  ])('is sealed also where %s', async (_what, destinations) => {
    await put({ ...specWith(destinations), colour: 'red' });
    expect(await check()).toEqual(new Set());
    expect(JSON.stringify(await stored())).not.toContain(PASSWORD);
    const before = await stored();
    await check();
    expect(await stored()).toEqual(before);
  });

  it('stays where it is under a name that is no secret, and the row says so', async () => {
    await put(specWith({ nas: { type: 'ssh', settings: { ...NAS.settings, SSH_PASWORD: 'x' } } }));
    await check();
    expect(await row()).toMatchObject({
      status: {
        problems: [
          {
            path: 'spec.destinations.nas.settings.SSH_PASWORD',
            remedy: expect.stringMatching(/SSH_PASSWORD\?.*stays readable until it is removed/),
          },
        ],
      },
    });
  });

  it('is no path of a file, also where that stands in place of a long text', async () => {
    const files = {
      ...HOST,
      SSH_IDENTITY_FILE: '.ferry/id_ed25519',
      SSH_PASSWORD_FILE: '.ferry/pw',
    };
    await put(specWith({ nas: { type: 'ssh', settings: files } }));
    await check();
    expect(await settingsOf()).toEqual(files);
  });

  it('that somebody replaced while it was being sealed is not overwritten', async () => {
    await put(specWith({ nas: NAS }));
    let once = true;
    const seal: Sealer['seal'] = async (...given) => {
      const sealed = await sealer.seal(...given);
      if (once) await set('SSH_PASSWORD', 'correct horse');
      once = false;
      return sealed;
    };
    expect(await check({ secrets: { find: findReadableSecrets, seal } })).toEqual(new Set());
    expect(await open('SSH_PASSWORD')).toBe('correct horse');
  });

  it('is named in no hash while it can be read', async () => {
    await put(
      specWith(Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`nas-${n}`, NAS]))),
    );
    const hashes: (string | undefined)[] = [];
    const save: CheckTools['rows']['save'] = (id, seen, verdict) => {
      hashes.push(verdict.specHash);
      return rows.save(id, seen, verdict);
    };
    await check({ rows: { ...rows, save } });
    expect(hashes).toEqual([undefined, undefined, undefined, expect.any(String)]);
  });

  it('waits for another try where the key cannot be used, and then nothing was written', async () => {
    await put(specWith({ nas: NAS }));
    const before = await stored();
    keys.setEnabled(KEY, false);
    try {
      expect(await check()).toEqual(new Set([userId]));
    } finally {
      keys.setEnabled(KEY, true);
    }
    expect(await stored()).toEqual(before);
    expect(await check()).toEqual(new Set());
    expect(await open('SSH_PASSWORD')).toBe(PASSWORD);
  });
});

describe('a secret where it does not belong', () => {
  const nowhere = [
    ['beside spec', { spec: specWith({ nas: NAS }), SSH_PASSWORD: 'pw-1' }, 'SSH_PASSWORD'],
    ['in spec', { spec: { ...specWith({ nas: NAS }), SSH_PASSWORD: 'pw-1' } }, 'spec.SSH_PASSWORD'],
    [
      'in the schedule, a number',
      { spec: { ...specWith({ nas: NAS }), schedule: { cron: '@daily', SSH_PASSWORD: 4711 } } },
      'spec.schedule.SSH_PASSWORD',
    ],
    [
      'in a map of a list',
      { spec: { ...specWith({ nas: NAS }), extra: ['x', { SSH_PASSWORD: 'pw-1' }] } },
      'spec.extra.1.SSH_PASSWORD',
    ],
    [
      'in a list of destinations',
      { spec: { v: 1, destinations: [NAS, { type: 'ssh', settings: { SSH_PASSWORD: 'pw-1' } }] } },
      'spec.destinations.1.settings.SSH_PASSWORD',
    ],
    [
      'as if it were a destination',
      { spec: specWith({ nas: NAS, SSH_PASSWORD: { S: 'pw-1' } }) },
      'spec.destinations.SSH_PASSWORD',
    ],
    [
      'a map with another secret in it',
      {
        spec: {
          ...specWith({ nas: NAS }),
          SSH_PASSWORD: { AZURE_STORAGE_PRIMARY_ACCOUNT_KEY: 'pw-1' },
        },
      },
      'spec.SSH_PASSWORD',
    ],
  ] as const;

  it.each(nowhere)(
    'is made unreadable there, told, and left alone then: %s',
    async (_, item, at) => {
      await put(undefined, item);
      expect(await check()).toEqual(new Set());
      const after = await stored();
      expect(JSON.stringify(after)).not.toMatch(/pw-1|4711|tr0ub4dor/);
      expect(after?.status).toMatchObject({
        state: 'invalid',
        problems: expect.arrayContaining([
          {
            path: at,
            problem: expect.any(String),
            remedy: expect.stringContaining('Enter it again'),
          },
        ]),
      });
      const paths = z
        .object({ problems: z.array(z.object({ path: z.string() })) })
        .parse(after?.status)
        .problems.map(({ path }) => path);
      expect(paths).toEqual([...new Set(paths)]);
      const save = vi.fn(rows.save);
      await check({ rows: { ...rows, save } });
      expect(save).not.toHaveBeenCalled();
      expect(await stored()).toEqual(after);
    },
  );

  it('keeps working when what was sealed beside the settings of its destination is put into them', async () => {
    await put(specWith({ nas: { type: 'ssh', settings: HOST, SSH_PASSWORD: PASSWORD } }));
    await check();
    expect(JSON.stringify(await stored())).not.toContain(PASSWORD);
    expect((await row()).status?.problems).toContainEqual({
      path: 'spec.destinations.nas.SSH_PASSWORD',
      problem: expect.stringContaining('where none belongs'),
      remedy: expect.stringContaining('spec.destinations.nas.settings, as it is'),
    });
    const { nas } = (await row()).spec.destinations;
    await put(
      specWith({ nas: { type: 'ssh', settings: { ...HOST, SSH_PASSWORD: nas?.SSH_PASSWORD } } }),
    );
    await check();
    expect(await row()).toMatchObject({ status: { state: 'valid', problems: [] } });
    expect(await open('SSH_PASSWORD')).toBe(PASSWORD);
  });

  it('is still told to be of no use when it is put where it belongs', async () => {
    await put(specWith({ nas: { type: 'ssh', settings: HOST, SSH_IDENTITY_FILE: 'nonsense' } }));
    await check();
    const { nas } = (await row()).spec.destinations;
    const moved = { ...HOST, SSH_IDENTITY_FILE: nas?.SSH_IDENTITY_FILE };
    await put(specWith({ nas: { type: 'ssh', settings: moved } }));
    await check();
    expect(await problems()).toEqual(['nas.settings.SSH_IDENTITY_FILE']);
  });

  it.each(['ssh_password', 'Ssh_Password ', ' SSH_PASSWORD'])(
    'in other letters: %s',
    async (name) => {
      await put(specWith({ nas: { type: 'ssh', settings: { ...HOST, [name]: PASSWORD } } }));
      await check();
      expect(JSON.stringify(await stored())).not.toContain(PASSWORD);
      expect((await row()).status?.problems).toContainEqual({
        path: `spec.destinations.nas.settings.${name}`,
        problem: expect.stringContaining('no setting of this name'),
        remedy: expect.stringMatching(/^Did you mean SSH_PASSWORD\? .*sealed/),
      });
      const settled = await stored();
      await check();
      expect(await stored()).toEqual(settled);
      const sealed = (await settingsOf())[name];
      await put(specWith({ nas: { type: 'ssh', settings: { ...HOST, SSH_PASSWORD: sealed } } }));
      await check();
      expect(await problems()).toEqual([]);
      expect(await open('SSH_PASSWORD')).toBe(PASSWORD);
    },
  );

  it('opens for no destination where it was part of none', async () => {
    await put({ ...specWith({ nas: NAS }), SSH_PASSWORD: PASSWORD });
    await check();
    const { SSH_PASSWORD: sealed, ...spec } = (await row()).spec;
    await put({
      ...spec,
      ...specWith({ nas: { type: 'ssh', settings: { ...HOST, SSH_PASSWORD: sealed } } }),
    });
    await check();
    expect((await row()).status?.problems).toEqual([
      {
        path: 'spec.destinations.nas.settings.SSH_PASSWORD',
        problem: 'This was sealed for another user, destination or setting.',
        remedy: 'Enter the secret again.',
      },
    ]);
  });

  it('is sealed in the status, too, which says nothing of it', async () => {
    await put(specWith({ nas: NAS }), {
      status: { SSH_PASSWORD: PASSWORD, problems: [{ SSH_PASSWORD: PASSWORD }] },
    });
    expect(await check()).toEqual(new Set());
    expect(JSON.stringify(await stored())).not.toContain(PASSWORD);
    expect(await row()).toMatchObject({ status: { state: 'valid', SSH_PASSWORD: SEALED } });
  });

  it('that somebody replaced while it was being sealed is not overwritten', async () => {
    await put({ ...specWith({ nas: NAS }), SSH_PASSWORD: 'pw-1' });
    let once = true;
    const seal: Sealer['seal'] = async (...given) => {
      const sealed = await sealer.seal(...given);
      if (once) await put({ ...specWith({ nas: NAS }), colour: 'red' });
      once = false;
      return sealed;
    };
    expect(await check({ secrets: { find: findReadableSecrets, seal } })).toEqual(new Set());
    expect((await row()).spec).toMatchObject({ colour: 'red' });
    expect((await row()).spec).not.toHaveProperty('SSH_PASSWORD');
  });

  it('stands as deep as a row can have it, many times', async () => {
    const deep = (levels: number): object =>
      levels === 0
        ? { SSH_PASSWORD: PASSWORD, DROPBOX_REFRESH_TOKEN: PASSWORD }
        : { a: deep(levels - 1) };
    await put({
      ...specWith({ nas: NAS }),
      ...Object.fromEntries(Array.from({ length: 5 }, (_, n) => [`x${n}`, deep(28)])),
    });
    expect(await check()).toEqual(new Set());
    expect(JSON.stringify(await stored())).not.toContain(PASSWORD);
  });
});

describe('what was wrong with a secret while it could be read', () => {
  const key = generateSshKey();
  const locked = generateSshKey({ cipher: 'aes256-ctr', passphrase: 'hush', rounds: 4 });

  it('stays wrong when it is sealed: a key that is cut off', async () => {
    const broken = key.private.slice(0, 200);
    await put(specWith({ nas: { type: 'ssh', settings: { ...HOST, SSH_IDENTITY_FILE: broken } } }));
    await check();
    const first = await row();
    expect(await problems()).toEqual(['nas.settings.SSH_IDENTITY_FILE']);
    await set('SSH_PORT', 2222);
    await check();
    expect((await row()).status?.problems).toEqual(first.status?.problems);
    await set('SSH_IDENTITY_FILE', key.private);
    await check();
    expect(await problems()).toEqual([]);
  });

  it('stays wrong also where something else kept it from being looked at whole', async () => {
    const settings = { SSH_IDENTITY_FILE: 'nonsense', SSH_HOST_NAME: 'a b', SSH_USER: 'ada' };
    await put(specWith({ nas: { type: 'ssh', settings } }));
    await check();
    await set('SSH_HOST_NAME', 'nas');
    await check();
    expect(await problems()).toEqual(['nas.settings.SSH_IDENTITY_FILE']);
  });

  it('is mended by what it asks for: the passphrase of a key', async () => {
    await put(
      specWith({ nas: { type: 'ssh', settings: { ...HOST, SSH_IDENTITY_FILE: locked.private } } }),
    );
    await check();
    expect(await problems()).toEqual(['nas.settings.SSH_IDENTITY_PASSPHRASE']);
    await set('SSH_PORT', 22);
    await check();
    expect(await problems()).toEqual(['nas.settings.SSH_IDENTITY_PASSPHRASE']);
    await set('SSH_IDENTITY_PASSPHRASE', 'hush');
    await check();
    expect(await problems()).toEqual([]);
  });

  it('is mended by replacing the key that needs it, beside a password that stays', async () => {
    const settings = { ...NAS.settings, SSH_IDENTITY_FILE: locked.private };
    await put(specWith({ nas: { type: 'ssh', settings } }));
    await check();
    expect(await problems()).toEqual(['nas.settings.SSH_IDENTITY_PASSPHRASE']);
    await set('SSH_IDENTITY_FILE', key.private);
    await check();
    expect(await problems()).toEqual([]);
  });

  it.each([
    [
      'a connection string',
      { AZURE_STORAGE_CONNECTION_STRING: 'AccountName=acme' },
      'AZURE_STORAGE_CONNECTION_STRING',
    ],
    ['a signature without rights', { AZURE_STORAGE_SAS: 'sv=1&sig=abc&sp=l' }, 'AZURE_STORAGE_SAS'],
    [
      'a signature without its account',
      { AZURE_STORAGE_SAS: 'sv=1&sig=abc&sp=rw' },
      'AZURE_STORAGE_ACCOUNT_NAME',
    ],
    [
      'a signature for another account',
      {
        AZURE_STORAGE_ACCOUNT_NAME: 'other',
        AZURE_STORAGE_SAS: 'https://acme.blob.core.windows.net/?sv=1&sig=abc&sp=rw',
      },
      'AZURE_STORAGE_ACCOUNT_NAME',
    ],
  ])('of Azure stays wrong as well: %s', async (_what, given, path) => {
    const settings = { AZURE_STORAGE_CONTAINER_NAME: 'backups', ...given };
    await put(specWith({ nas: { type: 'azure', settings } }));
    await check();
    const after = await settingsOf();
    expect(JSON.stringify(after)).not.toMatch(/sig=abc|AccountName=acme/);
    expect(await problems()).toEqual([`nas.settings.${path}`]);
    if (path !== 'AZURE_STORAGE_ACCOUNT_NAME') return;
    await set(path, 'acme');
    await check();
    expect(await problems()).toEqual([]);
  });

  it('can still be said of what others say about it: it is given, or missing', async () => {
    await put(
      specWith({
        nas: NAS,
        web: { type: 'webdav', settings: { WEBDAV_URL: 'https://x/', WEBDAV_PASSWORD: 'pw' } },
      }),
    );
    await check();
    expect(await problems()).toEqual(['web.settings.WEBDAV_USERNAME']);
    await set('SSH_PASSWORD_FILE', '.ferry/pw');
    await check();
    expect(await problems()).toEqual(['nas.settings.SSH_PASSWORD', 'web.settings.WEBDAV_USERNAME']);
  });
});

describe('a row with more mistakes than it has room for', () => {
  it('has its secret sealed and is told the first of them', async () => {
    const names = Array.from({ length: 2_500 }, (_, at) => [`X${at}`, 'x']);
    const settings = { ...NAS.settings, ...Object.fromEntries(names) };
    await put(specWith({ nas: { ...NAS, settings } }));
    await check();
    expect(await settingsOf()).toMatchObject({ SSH_PASSWORD: { sealed: expect.any(String) } });
    expect(await row()).toMatchObject({ status: { state: 'invalid' } });
    expect(await problems()).toHaveLength(51);
  });
});

describe('a sealed secret', () => {
  it('is taken as somebody sealed it before writing', async () => {
    const sealed = await sealer.seal({ userId, destination: 'nas' }, 'SSH_PASSWORD', PASSWORD);
    const settings = { ...HOST, SSH_PASSWORD: { sealed } };
    await put(specWith({ nas: { type: 'ssh', settings } }));
    await check();
    expect(await settingsOf()).toEqual(settings);
    expect(await row()).toMatchObject({ status: { state: 'valid' } });
  });

  it('of another destination is refused at once', async () => {
    await put(specWith({ nas: NAS }));
    await check();
    await put(specWith({ attic: { type: 'ssh', settings: await settingsOf() } }));
    await check();
    expect(await problems()).toEqual(['attic.settings.SSH_PASSWORD']);
    expect(await row()).toMatchObject({
      status: { problems: [{ remedy: 'Enter the secret again.' }] },
    });
  });

  it('has no place where no secret belongs', async () => {
    const sealed = await sealer.seal({ userId, destination: 'nas' }, 'SSH_USER', 'ada');
    await put(
      specWith({ nas: { type: 'ssh', settings: { ...NAS.settings, SSH_USER: { sealed } } } }),
    );
    await check();
    expect(await problems()).toEqual(['nas.settings.SSH_USER']);
  });
});

describe('a run', () => {
  const job = () => ({ userId, destination: 'nas', slot: '2026-11-22T00:00:00Z', hop: 0 });
  const runs = () => openRunsTable(documents, dynamo.runsTable);
  const settings = () =>
    readJobSettings(
      rows,
      runs(),
      (place) => ({
        ...NO_SURROUNDINGS,
        unseal: (name, sealed) => unsealer.unseal(place, name, sealed),
      }),
      async () => NO_LIMITS,
    );
  const lease = (fence = 1) => ({
    ...job(),
    jobId: jobId(job()),
    owner: 'worker',
    fence,
    until: 0,
  });
  const read = (goesOn = false, fence = 1) =>
    settings().read(job(), { lease: lease(fence), goesOn });
  const waits = { code: 'settings-unchecked', retry: 'later' };

  it('has the secrets opened for it', async () => {
    await put(specWith({ nas: NAS }));
    await check();
    const found = await read();
    if (!found?.ok) throw new Error('The row is not valid');
    await (await found.value.open()).close();
    expect(keys.calls.at(-1)).toMatchObject({ operation: 'Decrypt', context: { userId } });
  });

  it('waits until a row that was written is looked at', async () => {
    await put(specWith({ nas: NAS }));
    expect(await failure(read())).toMatchObject(waits);
    await check();
    expect(await read()).toMatchObject({ ok: true });
    await set('SSH_PORT', 'twenty-two');
    expect(await failure(read())).toMatchObject(waits);
    expect(await settings().isActive(job())).toBe(true);
    await check();
    expect(await read()).toMatchObject({ ok: false });
  });

  it('waits for a row whose status somebody lost', async () => {
    await put(specWith({ nas: NAS }));
    await check();
    await put((await stored())?.spec);
    expect(await failure(read())).toMatchObject(waits);
    await check();
    expect(await read()).toMatchObject({ ok: true });
    expect(await row()).toMatchObject({
      dueAt: '2026-11-23T00:00:00Z',
      dueShard: expect.any(String),
    });
  });

  it('asks for a look at a row that was left without one, which the stream then tells of', async () => {
    await put(specWith({ nas: NAS }));
    const before = await stored();
    expect(await failure(read())).toMatchObject(waits);
    expect(await stored()).toEqual({ ...before, status: { askedAt: expect.any(String) } });
  });

  it('does not use a secret that can be read, whatever the status says', async () => {
    await put(specWith({ nas: NAS }));
    const specHash = (await rows.read(userId))?.specHash;
    await put(specWith({ nas: NAS }), { status: { specHash, problems: [], state: 'valid' } });
    expect(await failure(read())).toMatchObject(waits);
    await check();
    expect(await open('SSH_PASSWORD')).toBe(PASSWORD);
  });
});

describe('each type', () => {
  it.each(destinationTypes.map((one) => [one.type, one] as const))(
    '%s knows its secrets by what may hold one',
    (_type, { settings, secrets }) => {
      const named = settings.filter((name) =>
        /PASSWORD|PASSPHRASE|IDENTITY|SECRET|TOKEN|ACCESS_KEY_ID|ACCOUNT_KEY|CONNECTION_STRING|SAS$/.test(
          name,
        ),
      );
      expect([...secrets].sort()).toEqual(named.sort());
    },
  );

  it.each(destinationTypes.map((one) => [one.type, one] as const))(
    '%s checks what else it can when every secret is sealed',
    async (type, { settings, secrets }) => {
      const sealed = await sealer.seal({ userId, destination: 'nas' }, 'X', PASSWORD);
      const given = Object.fromEntries(
        settings.map((name) => [name, secrets.includes(name) ? { sealed } : { no: 'text' }]),
      );
      const parsed = parseDestination(type, given, NO_LIMITS);
      const told = parsed.ok ? [] : parsed.problems.map(({ path }) => path);
      expect(told.sort()).toEqual(settings.filter((name) => !secrets.includes(name)).sort());
    },
  );
});
