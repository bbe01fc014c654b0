import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAllowEntry } from '../../functions/core/allow-entry.ts';
import { ANYWHERE, DEFAULT_PORTS, type EgressRules } from '../../functions/core/egress.ts';
import type { FerryError } from '../../functions/core/errors.ts';
import { findAdmitted } from '../../functions/destinations/checked-socket.ts';
import { destinationTypes } from '../../functions/destinations/registry.ts';
import { openEgress } from '../../functions/egress/egress.ts';
import { SPECIAL_BLOCKS, specialBlockOf } from '../../functions/egress/special-addresses.ts';
import { INSIDE, INSIDE_NAMES, LEADING_INSIDE, THIS_MACHINE, UNREADABLE } from './hostile-hosts.ts';
import { readSource, sourceFiles } from './imports.ts';

const ZONE: Readonly<Record<string, readonly string[]>> = {
  ...LEADING_INSIDE,
  'files.example.org': ['93.184.215.14', '2606:2800:21f:cb07::1'],
  'nas.example.org': ['10.1.2.3'],
  'tricky.example.org': ['169.254.169.254'],
  'nas.internal': ['192.168.7.7'],
  'xn--bcher-kva.example': ['93.184.215.14'],
};
const settings = { host: 'SSH_HOST_NAME', port: 'SSH_PORT' };
const target = (host: string, port = 22, type = 'ssh') => ({ type, host, port, settings });

function open(rules: Partial<EgressRules> = {}) {
  const asked: string[] = [];
  const egress = openEgress({ allow: [], ports: {}, ...rules }, async (name) => {
    asked.push(name);
    return ZONE[name] ?? [];
  });
  const admit = async (host: string, port?: number, type?: string): Promise<string[]> =>
    (await findAdmitted(egress, target(host, port, type))).map(({ address }) => address);
  const refusal = async (host: string, port?: number, type?: string): Promise<FerryError> =>
    admit(host, port, type).then(
      (addresses) => expect.fail(`${host} leads to ${addresses}`),
      (error) => error,
    );
  return { egress, asked, admit, refusal };
}

const FORBIDDEN = { code: 'address-forbidden', retry: 'never', scope: 'destination' };

describe('the guard refuses', () => {
  it('more than 150 spellings', () => {
    const all = [...THIS_MACHINE, ...INSIDE, ...INSIDE_NAMES, ...UNREADABLE];
    expect(new Set(all).size).toBe(all.length);
    expect(all.length).toBeGreaterThan(250);
  });

  it.each([...THIS_MACHINE, ...INSIDE])('the address %j without asking anybody', async (host) => {
    const { refusal, asked } = open();
    const error = await refusal(host);
    expect(error).toMatchObject(FORBIDDEN);
    expect(error.message).toMatch(/^The server \(SSH_HOST_NAME\) is at \S+, an? .*operator/);
    expect(asked).toEqual([]);
  });

  it.each(INSIDE_NAMES)('the name %j without asking anybody', async (host) => {
    const { refusal, asked } = open();
    const error = await refusal(host);
    expect(error).toMatchObject(FORBIDDEN);
    expect(error.message).toContain('private networks only');
    expect(asked).toEqual([]);
  });

  it.each(UNREADABLE)('the text %j without asking anybody', async (host) => {
    const { refusal, asked } = open();
    expect(await refusal(host)).toMatchObject(FORBIDDEN);
    expect(asked).toEqual([]);
  });

  it.each(Object.keys(LEADING_INSIDE))('%s, which leads inside', async (host) => {
    const { refusal, asked } = open();
    expect(await refusal(host)).toMatchObject(FORBIDDEN);
    expect(asked).toEqual([host]);
  });

  it.each([
    ['ssh', 21],
    ['ssh', 25],
    ['ssh', 443],
    ['s3', 22],
    ['webdav', 25],
    ['azure', 53],
    ['dropbox', 1],
    ['webdav', 0],
    ['webdav', Number.NaN],
    ['another', 443],
  ])('of type %s port %d', async (type, port) => {
    const { refusal, asked } = open();
    const error = await refusal('files.example.org', port, type);
    expect(error).toMatchObject(FORBIDDEN);
    expect(error.message).toContain('SSH_PORT');
    expect(asked).toEqual([]);
  });

  it('a name that nobody knows as the system does', async () => {
    expect(await open().refusal('absent.example.org')).toMatchObject({ code: 'ENOTFOUND' });
  });

  it('whatever is spelled in decimal, octal or hexadecimal as it refuses it in dots', async () => {
    const part = (radix: number, prefix: string) => (value: number) =>
      `${prefix}${value.toString(radix)}`;
    const spellings = [part(10, ''), part(8, '0'), part(16, '0x')];
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 2 ** 32 - 1 }),
        fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 4, maxLength: 4 }),
        fc.integer({ min: 1, max: 4 }),
        async (value, radixes, pieces) => {
          const { egress } = open();
          const bytes = [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256);
          const spelled = [...bytes.slice(0, pieces - 1), value % 2 ** (8 * (5 - pieces))].map(
            (piece, at) => spellings[radixes[at] ?? 0]?.(piece),
          );
          const dotted = bytes.join('.');
          const found = await egress.lookUp(target(spelled.join('.')));
          expect(found).toEqual([{ address: dotted, family: 4 }]);
          const isRefused = egress.refuse(target(dotted), found) !== undefined;
          expect(isRefused).toBe(specialBlockOf(dotted) !== undefined);
        },
      ),
    );
  });

  it('everything in each block, from its first address to its last', () => {
    for (const { block } of SPECIAL_BLOCKS) {
      const [first = ''] = block.split('/');
      expect(specialBlockOf(first), block).toBeDefined();
    }
    for (const last of ['10.255.255.255', '172.31.255.255', '100.127.255.255', '198.19.255.255']) {
      expect(specialBlockOf(last), last).toBeDefined();
    }
  });
});

describe('the guard lets pass', () => {
  it.each([
    '8.8.8.8',
    '1.1.1.1',
    '9.255.255.255',
    '11.0.0.0',
    '100.63.255.255',
    '100.128.0.0',
    '126.255.255.255',
    '128.0.0.1',
    '169.253.255.255',
    '172.15.255.255',
    '172.32.0.0',
    '192.0.1.0',
    '192.167.255.255',
    '192.169.0.0',
    '198.17.255.255',
    '198.20.0.0',
    '223.255.255.255',
    '2606:4700::1111',
    '2001:200::1',
    '2003::1',
    '3ffe:ffff::1',
  ])('%s, of the internet', async (address) => {
    expect(await open().admit(address)).toEqual([address]);
  });

  it('a name with all its addresses, having asked once', async () => {
    const { admit, asked } = open();
    expect(await admit('files.example.org')).toEqual(ZONE['files.example.org']);
    expect(asked).toEqual(['files.example.org']);
  });

  it.each([
    ['FILES.Example.ORG.', 'files.example.org'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['files。example。org', 'files.example.org'],
  ])('%s, which is %s', async (host, name) => {
    const { admit, asked } = open();
    await admit(host);
    expect(asked).toEqual([name]);
  });

  it('the ports of each type that there is', async () => {
    expect(Object.keys(DEFAULT_PORTS).sort()).toEqual(destinationTypes.map(({ type }) => type));
    for (const type of ['azure', 'dropbox', 's3', 'webdav']) {
      for (const port of [80, 443, 1024, 8443, 65_535]) await open().admit('8.8.8.8', port, type);
    }
    for (const port of [22, 23, 2222]) await open().admit('8.8.8.8', port, 'ssh');
  });

  it('the ports that the operator names, and no others', async () => {
    const { admit, refusal } = open({ ports: { ssh: [{ from: 222, to: 222 }] } });
    expect(await admit('8.8.8.8', 222)).toEqual(['8.8.8.8']);
    const error = await refusal('8.8.8.8', 22);
    expect(error.message).toContain('is 22, and the operator of Ferry allows 222 for');
  });

  it('a range that the operator lists, and nothing beside it', async () => {
    const { admit, refusal } = open({ allow: ['10.1.0.0/16', 'fd00:1::/32'] });
    expect(await admit('10.1.255.255')).toEqual(['10.1.255.255']);
    expect(await admit('nas.example.org')).toEqual(['10.1.2.3']);
    expect(await admit('fd00:1::9')).toEqual(['fd00:1::9']);
    expect(await refusal('10.2.0.0')).toMatchObject(FORBIDDEN);
    expect(await refusal('::ffff:10.1.0.1')).toMatchObject(FORBIDDEN);
    expect(await refusal('fd00:2::9')).toMatchObject(FORBIDDEN);
  });

  it('this machine where the operator lists it, by every name of its own', async () => {
    const { admit } = open({ allow: ['127.0.0.0/8', '::1'] });
    expect(await admit('localhost')).toEqual(['127.0.0.1', '::1']);
    expect(await admit('0x7f.1')).toEqual(['127.0.0.1']);
  });

  it('a host that the operator lists, also in a private network', async () => {
    const { admit, refusal } = open({ allow: ['nas.example.org', '*.internal'] });
    expect(await admit('NAS.example.org.')).toEqual(['10.1.2.3']);
    expect(await admit('nas.internal')).toEqual(['192.168.7.7']);
    expect(await refusal('10.1.2.3')).toMatchObject(FORBIDDEN);
  });

  it('no listed host that leads to the machine itself or to its cloud', async () => {
    const { refusal } = open({ allow: ['*.example.org'] });
    expect(await refusal('tricky.example.org')).toMatchObject(FORBIDDEN);
  });

  it('everything on a machine of the person who asks', async () => {
    const egress = openEgress(ANYWHERE);
    for (const host of ['127.0.0.1', '::1', '10.0.0.1', '8.8.8.8']) {
      const found = await egress.lookUp(target(host, 9, 'dropbox'));
      expect(egress.refuse(target(host, 9, 'dropbox'), found)).toBeUndefined();
    }
  });
});

describe("the operator's list", () => {
  it.each([
    ['10.0.0.0/8', { kind: 'range', address: '10.0.0.0', bits: 8 }],
    ['10.0.0.7', { kind: 'range', address: '10.0.0.7', bits: 32 }],
    ['0.0.0.0/0', { kind: 'range', address: '0.0.0.0', bits: 0 }],
    ['fd00::/8', { kind: 'range', address: 'fd00::', bits: 8 }],
    ['::1', { kind: 'range', address: '::1', bits: 128 }],
    ['Nas.Example.org', { kind: 'host', name: 'nas.example.org' }],
    ['minio', { kind: 'host', name: 'minio' }],
    ['*.example.org', { kind: 'suffix', suffix: '.example.org' }],
  ])('has %s', (text, entry) => {
    expect(parseAllowEntry(text)).toEqual(entry);
  });

  it.each([
    '',
    '*',
    '*.',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '10.0.0/8',
    '127.1',
    '0x7f000001',
    '::/129',
    'fe80::1%eth0',
    '[::1]',
    'http://nas.example.org',
    'nas.example.org:22',
    'a.*.example.org',
    '-nas',
    'a b',
  ])('has no %j', (text) => {
    expect(parseAllowEntry(text)).toBeUndefined();
    expect(() => openEgress({ allow: [text], ports: {} })).toThrow(`"${text}"`);
  });
});

describe('no file of a driver', () => {
  /** Where the guard is, or where only addresses that the operator lists are asked. */
  const SOCKETS = [
    'functions/destinations/http/agents.ts',
    'functions/destinations/http/connection-steps.ts',
    'functions/destinations/s3/role-endpoint.ts',
    'functions/destinations/ssh/dial.ts',
  ];
  const OPENS =
    /\bfrom 'node:(?:tls|dgram|http2|dns.*)'|\b(?:createConnection|connectTcp|connectTls)\(|new (?:Http|Https)?Agent\(|new Socket\(|await fetch\(/;
  const sources = sourceFiles('functions/destinations').map(
    (path) => [path, readSource(path)] as const,
  );

  it('opens a socket of its own', () => {
    const openers = sources.filter(([, source]) => OPENS.test(source)).map(([path]) => path);
    // It reads the public roots and connects to nobody.
    expect(openers.filter((path) => !path.endsWith('http/trust.ts')).sort()).toEqual(SOCKETS);
  });

  it("sends a request over Node's own sockets", () => {
    const senders = sources
      .filter(([, source]) => /from 'node:https?';/.test(source) && /request as/.test(source))
      .map(([path, source]) => [path, /\bagent(?::|\()/.test(source)]);
    expect(senders).toEqual([
      ['functions/destinations/dropbox/transport.ts', true],
      ['functions/destinations/webdav/transport.ts', true],
    ]);
  });
});
