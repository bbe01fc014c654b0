import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MiB, type PartPlan } from '../../functions/core/parts.ts';
import { NO_LIMITS } from '../../functions/core/policy.ts';
import { blockId, blockIds, countHeld } from '../../functions/destinations/azure/blocks.ts';
import { azureSchema, toAzureSettings } from '../../functions/destinations/azure/settings.ts';
import { parseDestination } from '../../functions/destinations/registry.ts';

const KEY = Buffer.alloc(64, 'a marked key').toString('base64');
const CONTAINER = { AZURE_STORAGE_CONTAINER_NAME: 'backups' };
const REQUIRED = {
  ...CONTAINER,
  AZURE_STORAGE_ACCOUNT_NAME: 'acmebackups',
  AZURE_STORAGE_PRIMARY_ACCOUNT_KEY: KEY,
};
const LATER = '2099-01-01T00:00:00Z';
const TOKEN = `sv=2026-10-06&sr=c&sp=racwdl&se=${LATER}&sig=a-marked-signature`;
const allowing = (permissions: string) => TOKEN.replace('racwdl', permissions);

type Given = Readonly<Record<string, unknown>>;

function problemsOf(given: Given) {
  const parsed = parseDestination('azure', given, NO_LIMITS);
  return parsed.ok ? [] : parsed.problems;
}

function accepted(given: Given) {
  const parsed = toAzureSettings(azureSchema.parse(given));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.value;
}

describe('Azure settings', () => {
  it('reach the public cloud with account and key when nothing else is said', () => {
    const settings = accepted(REQUIRED);
    expect(settings.endpoint.href).toBe('https://acmebackups.blob.core.windows.net/');
    expect(settings.credentials).toMatchObject({ with: 'key', account: 'acmebackups' });
    expect(settings).toMatchObject({ container: 'backups', folder: '', tier: undefined });
  });

  it.each([
    ['https://{{ .AccountName }}.blob.core.chinacloudapi.cn/'],
    ['https://{{.AccountName}}.blob.core.chinacloudapi.cn'],
    ['https://{{- .AccountName -}}.blob.core.chinacloudapi.cn///'],
  ])('fill the template %s, and end it with one slash', (template) => {
    const { endpoint } = accepted({ ...REQUIRED, AZURE_STORAGE_ENDPOINT: template });
    expect(endpoint.href).toBe('https://acmebackups.blob.core.chinacloudapi.cn/');
  });

  it.each([
    [
      'a key',
      `DefaultEndpointsProtocol=https;AccountName=acme;AccountKey=${KEY};EndpointSuffix=core.windows.net`,
      'key',
      'https://acme.blob.core.windows.net/',
    ],
    [
      'another cloud',
      `AccountName=acme;AccountKey=${KEY};EndpointSuffix=core.usgovcloudapi.net`,
      'key',
      'https://acme.blob.core.usgovcloudapi.net/',
    ],
    [
      'its own address',
      `AccountName=acme;AccountKey=${KEY};BlobEndpoint=http://10.0.0.1:10000/acme;`,
      'key',
      'http://10.0.0.1:10000/acme/',
    ],
    [
      'a signature',
      `BlobEndpoint=https://acme.blob.core.windows.net/;SharedAccessSignature=${TOKEN}`,
      'sas',
      'https://acme.blob.core.windows.net/',
    ],
  ])(
    'understand a connection string with %s, whose address goes first',
    (_what, text, how, href) => {
      const settings = accepted({
        ...CONTAINER,
        AZURE_STORAGE_CONNECTION_STRING: text,
        AZURE_STORAGE_ENDPOINT: 'https://ignored.example.com/',
      });
      expect(settings.credentials.with).toBe(how);
      expect(settings.endpoint.href).toBe(href);
    },
  );

  it.each([
    ['a token', { AZURE_STORAGE_ACCOUNT_NAME: 'acme', AZURE_STORAGE_SAS: TOKEN }],
    [
      'a token with its question mark',
      { AZURE_STORAGE_ACCOUNT_NAME: 'acme', AZURE_STORAGE_SAS: `?${TOKEN}` },
    ],
    [
      'the URL of the account',
      { AZURE_STORAGE_SAS: `https://acme.blob.core.windows.net/?${TOKEN}` },
    ],
    [
      'the URL of the container',
      { AZURE_STORAGE_SAS: `https://acme.blob.core.windows.net/backups?${TOKEN}` },
    ],
  ])('understand a shared access signature as %s', (_what, given) => {
    const { endpoint, credentials } = accepted({ ...CONTAINER, ...given });
    expect(endpoint.href).toBe('https://acme.blob.core.windows.net/');
    expect(credentials.with === 'sas' && credentials.token.reveal()).toBe(TOKEN);
  });

  it.each([
    ['a domain of your own', 'https://files.example.com/backups', {}, 'https://files.example.com/'],
    [
      'an account that another domain stands for',
      'https://files.example.com/backups',
      { AZURE_STORAGE_ACCOUNT_NAME: 'acme' },
      'https://files.example.com/',
    ],
    ['an address by number', 'http://10.0.0.1/acme/backups', {}, 'http://10.0.0.1/acme/'],
    ['one of version 6', 'http://[::1]:10000/acme/backups', {}, 'http://[::1]:10000/acme/'],
    ['one machine', 'http://localhost:9999/acme/backups', {}, 'http://localhost:9999/acme/'],
    ["Azurite's port", 'http://a.example.com:10000/acme', {}, 'http://a.example.com:10000/acme/'],
    [
      'an account in the host at any port',
      'http://acme.blob.localhost:10000/backups',
      { AZURE_STORAGE_ACCOUNT_NAME: 'acme' },
      'http://acme.blob.localhost:10000/',
    ],
    [
      'a folder that AZURE_STORAGE_ENDPOINT tells',
      'https://proxy.example.com/acme/backups',
      { AZURE_STORAGE_ENDPOINT: 'https://proxy.example.com/acme' },
      'https://proxy.example.com/acme/',
    ],
    [
      'the template that it fits',
      'https://acme.blob.core.windows.net/backups',
      {
        AZURE_STORAGE_ACCOUNT_NAME: 'acme',
        AZURE_STORAGE_ENDPOINT: 'https://{{ .AccountName }}.blob.core.windows.net/',
      },
      'https://acme.blob.core.windows.net/',
    ],
  ])('find the account in a signed URL of %s', (_what, url, more, href) => {
    const given = { ...CONTAINER, ...more, AZURE_STORAGE_SAS: `${url}?${TOKEN}` };
    expect(accepted(given).endpoint.href).toBe(href);
    const other = { ...given, AZURE_STORAGE_CONTAINER_NAME: 'other' };
    const paths = problemsOf(other).map(({ path }) => path);
    expect(paths).toEqual(url.endsWith('/backups') ? ['AZURE_STORAGE_CONTAINER_NAME'] : []);
  });

  it.each(['rc', 'rw', 'racwdl'])('take a signature that allows %s', (permissions) => {
    const sas = allowing(permissions);
    const given = { ...CONTAINER, AZURE_STORAGE_ACCOUNT_NAME: 'acme', AZURE_STORAGE_SAS: sas };
    expect(accepted(given).credentials.with).toBe('sas');
  });

  it('take a signature whose permissions stand in a policy on the server', () => {
    const sas = TOKEN.replace('&sp=racwdl', '&si=nightly');
    const given = { ...CONTAINER, AZURE_STORAGE_ACCOUNT_NAME: 'acme', AZURE_STORAGE_SAS: sas };
    expect(accepted(given).credentials.with).toBe('sas');
  });

  it.each(['Cool', 'COLD', 'archive', 'hOT'])(
    'take the access tier in any spelling: %s',
    (tier) => {
      const settings = accepted({ ...REQUIRED, AZURE_STORAGE_ACCESS_TIER: tier });
      expect(settings.tier?.toLowerCase()).toBe(tier.toLowerCase());
    },
  );

  it.each([
    [
      'no key',
      CONTAINER,
      'AZURE_STORAGE_PRIMARY_ACCOUNT_KEY',
      /managed identity.*AZURE_STORAGE_SAS/s,
    ],
    [
      'key and connection string',
      { ...REQUIRED, AZURE_STORAGE_CONNECTION_STRING: `AccountName=acme;AccountKey=${KEY}` },
      'AZURE_STORAGE_CONNECTION_STRING',
      /Keep one/,
    ],
    [
      'no account',
      { ...CONTAINER, AZURE_STORAGE_PRIMARY_ACCOUNT_KEY: KEY },
      'AZURE_STORAGE_ACCOUNT_NAME',
      /Give AZURE/,
    ],
    [
      'a host for an account',
      { ...REQUIRED, AZURE_STORAGE_ACCOUNT_NAME: 'acme.blob.core.windows.net' },
      'AZURE_STORAGE_ACCOUNT_NAME',
      /name alone/,
    ],
    [
      'half a key',
      { ...REQUIRED, AZURE_STORAGE_PRIMARY_ACCOUNT_KEY: 'abc' },
      'AZURE_STORAGE_PRIMARY_ACCOUNT_KEY',
      /Access keys/,
    ],
    [
      'a container with a folder',
      { ...REQUIRED, AZURE_STORAGE_CONTAINER_NAME: 'backups/x' },
      'AZURE_STORAGE_CONTAINER_NAME',
      /AZURE_STORAGE_PATH/,
    ],
    [
      'a path upwards',
      { ...REQUIRED, AZURE_STORAGE_PATH: '../x' },
      'AZURE_STORAGE_PATH',
      /top down/,
    ],
    [
      'a tier for disks',
      { ...REQUIRED, AZURE_STORAGE_ACCESS_TIER: 'P10' },
      'AZURE_STORAGE_ACCESS_TIER',
      /page blobs/,
    ],
    [
      'a tier that is none',
      { ...REQUIRED, AZURE_STORAGE_ACCESS_TIER: 'Warm' },
      'AZURE_STORAGE_ACCESS_TIER',
      /Hot, Cool, Cold, Archive/,
    ],
    [
      'another template',
      { ...REQUIRED, AZURE_STORAGE_ENDPOINT: 'https://{{ .Region }}.x/' },
      'AZURE_STORAGE_ENDPOINT',
      /\.AccountName/,
    ],
    [
      'no address',
      { ...REQUIRED, AZURE_STORAGE_ENDPOINT: 'acme.example.com' },
      'AZURE_STORAGE_ENDPOINT',
      /Write it like/,
    ],
    [
      'the emulator',
      { ...CONTAINER, AZURE_STORAGE_CONNECTION_STRING: 'UseDevelopmentStorage=true' },
      'AZURE_STORAGE_CONNECTION_STRING',
      /emulator/,
    ],
    [
      'a signature that ran out',
      {
        ...CONTAINER,
        AZURE_STORAGE_ACCOUNT_NAME: 'acme',
        AZURE_STORAGE_SAS: TOKEN.replace(LATER, '2020-01-01'),
      },
      'AZURE_STORAGE_SAS',
      /ran out on 2020/,
    ],
    [
      'a signature for reading',
      {
        ...CONTAINER,
        AZURE_STORAGE_ACCOUNT_NAME: 'acme',
        AZURE_STORAGE_SAS: allowing('rl'),
      },
      'AZURE_STORAGE_SAS',
      /lacks create \(c\) or write \(w\)/,
    ],
    [
      'a signature for writing alone',
      { ...CONTAINER, AZURE_STORAGE_ACCOUNT_NAME: 'acme', AZURE_STORAGE_SAS: allowing('cwdl') },
      'AZURE_STORAGE_SAS',
      /lacks read \(r\)\..*read, create, write, delete and list/,
    ],
    [
      'a signature for listing',
      { ...CONTAINER, AZURE_STORAGE_ACCOUNT_NAME: 'acme', AZURE_STORAGE_SAS: allowing('l') },
      'AZURE_STORAGE_SAS',
      /lacks read \(r\) and create \(c\) or write \(w\)/,
    ],
    [
      'a connection string with a signature for writing alone',
      {
        ...CONTAINER,
        AZURE_STORAGE_CONNECTION_STRING: `BlobEndpoint=https://acme.blob.core.windows.net/;SharedAccessSignature=${allowing('cwdl')}`,
      },
      'AZURE_STORAGE_CONNECTION_STRING',
      /lacks read \(r\)/,
    ],
    [
      'a signature for another container',
      { ...CONTAINER, AZURE_STORAGE_SAS: `https://acme.blob.core.windows.net/other?${TOKEN}` },
      'AZURE_STORAGE_CONTAINER_NAME',
      /other/,
    ],
    [
      'a signed URL of another account',
      {
        ...CONTAINER,
        AZURE_STORAGE_ACCOUNT_NAME: 'alice',
        AZURE_STORAGE_SAS: `https://bob.blob.core.windows.net/backups?${TOKEN}`,
      },
      'AZURE_STORAGE_ACCOUNT_NAME',
      /"alice".*AZURE_STORAGE_SAS.*"bob"/,
    ],
    [
      'a signed URL of another account on Azurite',
      {
        ...CONTAINER,
        AZURE_STORAGE_ACCOUNT_NAME: 'alice',
        AZURE_STORAGE_SAS: `http://127.0.0.1:10000/bob/backups?${TOKEN}`,
      },
      'AZURE_STORAGE_ACCOUNT_NAME',
      /"alice".*AZURE_STORAGE_SAS.*"bob"/,
    ],
    [
      'a signed URL of another server',
      {
        ...CONTAINER,
        AZURE_STORAGE_ENDPOINT: 'https://private.example.com',
        AZURE_STORAGE_SAS: `https://bob.blob.core.windows.net/backups?${TOKEN}`,
      },
      'AZURE_STORAGE_ENDPOINT',
      /private\.example\.com.*AZURE_STORAGE_SAS.*bob\.blob/,
    ],
    [
      'a signed URL of another folder of the server',
      {
        ...CONTAINER,
        AZURE_STORAGE_ENDPOINT: 'https://proxy.example.com/acme',
        AZURE_STORAGE_SAS: `https://proxy.example.com/acme2/backups?${TOKEN}`,
      },
      'AZURE_STORAGE_ENDPOINT',
      /acme\/.*AZURE_STORAGE_SAS.*acme2/,
    ],
    [
      'a signed URL of a file',
      { ...CONTAINER, AZURE_STORAGE_SAS: `https://files.example.com/backups/a.tar?${TOKEN}` },
      'AZURE_STORAGE_SAS',
      /account or the container.*AZURE_STORAGE_ENDPOINT/,
    ],
    [
      'a template without its account',
      {
        ...CONTAINER,
        AZURE_STORAGE_SAS: TOKEN,
        AZURE_STORAGE_ENDPOINT: 'https://{{ .AccountName }}.blob.core.windows.net/',
      },
      'AZURE_STORAGE_ACCOUNT_NAME',
      /AZURE_STORAGE_ENDPOINT/,
    ],
    [
      'a certificate over http',
      {
        ...REQUIRED,
        AZURE_STORAGE_ENDPOINT: 'http://acme.example.com',
        AZURE_STORAGE_ENDPOINT_INSECURE: 'true',
      },
      'AZURE_STORAGE_ENDPOINT_INSECURE',
      /https/,
    ],
  ])('refuse %s, and say what to do', (_what, given, path, words) => {
    const problems = problemsOf(given);
    expect(problems).toEqual([expect.objectContaining({ path })]);
    expect(`${problems[0]?.problem} ${problems[0]?.remedy}`).toMatch(words);
  });

  it('show no secret, whatever is printed', () => {
    const secrets = [KEY, 'a-marked-signature'];
    for (const given of [
      REQUIRED,
      { ...CONTAINER, AZURE_STORAGE_CONNECTION_STRING: `AccountName=acme;AccountKey=${KEY}` },
      { ...CONTAINER, AZURE_STORAGE_SAS: `https://acme.blob.core.windows.net/backups?${TOKEN}` },
    ]) {
      const settings = accepted(given);
      const shown = `${inspect(settings, { depth: 9, showHidden: true })} ${JSON.stringify(settings)}`;
      for (const secret of secrets) expect(shown).not.toContain(secret);
    }
  });

  it('of any text are accepted or refused, never thrown at', () => {
    const names = Object.keys(azureSchema.shape);
    const some = fc.dictionary(fc.constantFrom(...names), fc.string());
    fc.assert(
      fc.property(
        some,
        (given) => typeof parseDestination('azure', given, NO_LIMITS).ok === 'boolean',
      ),
    );
  });
});

describe('the blocks of a file', () => {
  const file = { path: 'a.tar', size: 0, transferId: '0123456789abcdef' };
  const plans = fc
    .record({ count: fc.integer({ min: 1, max: 400 }), last: fc.integer({ min: 1, max: 1000 }) })
    .map(
      ({ count, last }): PartPlan => ({ partSize: 1000, count, size: (count - 1) * 1000 + last }),
    );

  it('have ids of one length, at most 64 bytes, all different', () => {
    const plan = { size: 50_000 * 4000 * MiB, partSize: 4000 * MiB, count: 50_000 };
    const ids = blockIds(file, plan);
    expect(new Set(ids).size).toBe(50_000);
    expect(new Set(ids.map((id) => id.length)).size).toBe(1);
    expect(Buffer.from(ids[0] ?? '', 'base64').length).toBeLessThanOrEqual(64);
    const other = { ...plan, partSize: 1 };
    expect(blockId(file, other, 0).length).toBe(ids[0]?.length);
    expect(blockId(file, other, 0)).not.toBe(ids[0]);
  });

  it('count as held up to the first that is missing or has another size', () => {
    fc.assert(
      fc.property(plans, fc.nat(), fc.boolean(), (plan, at, isShort) => {
        const hole = at % plan.count;
        const blocks = blockIds(file, plan).map((name, n) => ({
          name,
          size: n === plan.count - 1 ? plan.size - n * plan.partSize : plan.partSize,
        }));
        expect(countHeld(file, plan, blocks)).toBe(plan.count);
        const spoiled = isShort
          ? blocks.map((block, n) => (n === hole ? { ...block, size: block.size - 1 } : block))
          : blocks.filter((_, n) => n !== hole);
        expect(countHeld(file, plan, spoiled)).toBe(hole);
      }),
    );
  });
});
