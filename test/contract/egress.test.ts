import { once } from 'node:events';
import { createServer as createHttpServer, type RequestOptions, request } from 'node:http';
import { createServer as createHttpsServer, request as sealedRequest } from 'node:https';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FerryError, toFerryError } from '../../functions/core/errors.ts';
import { NO_LIMITS } from '../../functions/core/policy.ts';
import { NEVER } from '../../functions/core/stopping.ts';
import { runSteps } from '../../functions/destinations/check-steps.ts';
import type { CheckStep, Destination } from '../../functions/destinations/contract.ts';
import { type Agents, createAgents } from '../../functions/destinations/http/agents.ts';
import { reachingSteps } from '../../functions/destinations/http/connection-steps.ts';
import type { Trust } from '../../functions/destinations/http/trust.ts';
import { parseDestination } from '../../functions/destinations/registry.ts';
import { openEgress } from '../../functions/egress/egress.ts';
import { createAuthority } from '../servers/certificates.ts';
import { type NameServer, startNameServer } from '../servers/name-server.ts';
import { INSIDE_NAMES, THIS_MACHINE } from '../unit/hostile-hosts.ts';
import { NO_SURROUNDINGS } from './surroundings.ts';

/** Stands for a server on the internet; all else of loopback is inside. */
const OUTSIDE = '127.0.0.5';
const ALSO_OUTSIDE = '127.0.0.6';
const INSIDE = '127.0.0.1';
const ALSO_INSIDE = '::1';

/** Settings of each type that lead to a server and nowhere else. */
const LEADING: Readonly<Record<string, (host: string, port: number) => object>> = {
  azure: (host, port) => ({
    AZURE_STORAGE_ACCOUNT_NAME: 'account',
    AZURE_STORAGE_PRIMARY_ACCOUNT_KEY: Buffer.alloc(64).toString('base64'),
    AZURE_STORAGE_CONTAINER_NAME: 'backups',
    AZURE_STORAGE_ENDPOINT: `http://${host}:${port}/account`,
  }),
  dropbox: (host, port) => ({
    DROPBOX_APP_KEY: 'abcdefghijklmno',
    DROPBOX_REFRESH_TOKEN: 'a-token-that-refreshes',
    DROPBOX_ENDPOINT: `http://${host}:${port}`,
    DROPBOX_OAUTH2_ENDPOINT: `http://${host}:${port}`,
  }),
  s3: (host, port) => ({
    AWS_ENDPOINT: `${host}:${port}`,
    AWS_ENDPOINT_PROTO: 'http',
    AWS_ACCESS_KEY_ID: 'key',
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_S3_BUCKET_NAME: 'backups',
  }),
  ssh: (host, port) => ({
    SSH_HOST_NAME: host,
    SSH_PORT: port,
    SSH_USER: 'user',
    SSH_PASSWORD: 'password',
    SSH_HOST_KEY: `SHA256:${'A'.repeat(43)}`,
  }),
  webdav: (host, port) => ({ WEBDAV_URL: `http://${host}:${port}/dav/` }),
};
const TYPES = Object.keys(LEADING);

/** Servers at several addresses and one port, which note who comes. */
interface Door {
  readonly port: number;
  /** Connections, by address. */
  readonly met: Map<string, number>;
  close(): Promise<void>;
}

async function openDoor(
  addresses: readonly string[],
  greet: (socket: Socket) => void,
): Promise<Door> {
  const met = new Map<string, number>();
  const sockets = new Set<Socket>();
  const servers = addresses.map((address) =>
    createServer((socket) => {
      met.set(address, (met.get(address) ?? 0) + 1);
      sockets.add(socket);
      socket.on('error', () => {}).on('close', () => sockets.delete(socket));
      greet(socket);
    }),
  );
  const close = async () => {
    for (const socket of sockets) socket.destroy();
    const listening = servers.filter((server) => server.listening);
    await Promise.all(listening.map((server) => once(server.close(), 'close')));
  };
  // What is free at one address may be taken at the next.
  for (let attempt = 1; ; attempt++) {
    let port = 0;
    try {
      for (const [at, server] of servers.entries()) {
        server.listen(port, addresses[at]);
        await once(server, 'listening');
        ({ port } = server.address() as AddressInfo);
      }
      return { port, met, close };
    } catch (error) {
      await close();
      if (attempt === 10) throw error;
    }
  }
}

/** What names stand for here, the nth time they are asked for. */
const ZONE: Readonly<Record<string, (nth: number) => readonly string[]>> = {
  'files.test': () => [OUTSIDE],
  'rebind.test': (nth) => [nth === 1 ? OUTSIDE : INSIDE],
  'rebind6.test': (nth) => [nth === 1 ? OUTSIDE : ALSO_INSIDE],
  'inside.test': () => [INSIDE],
  'mixed.test': () => [OUTSIDE, INSIDE],
  'mixed6.test': () => [OUTSIDE, ALSO_INSIDE],
  'several.test': () => [ALSO_OUTSIDE, OUTSIDE],
};

let names: NameServer;
const opened: Destination[] = [];

beforeEach(async () => {
  names = await startNameServer((name, nth) => ZONE[name]?.(nth) ?? []);
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.close()));
  await names.stop();
});

/** A deployment whose operator allows what stands for the internet here. */
const guard = () =>
  openEgress({ allow: [OUTSIDE, ALSO_OUTSIDE], ports: {} }, (name) => names.resolve(name));

/** Undefined where the settings are refused as they stand. */
async function open(type: string, host: string, port: number): Promise<Destination | undefined> {
  const inUrl = type !== 'ssh' && host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  const parsed = parseDestination(type, { ...LEADING[type]?.(inUrl, port) }, NO_LIMITS);
  if (!parsed.ok) return undefined;
  const destination = await parsed.value.open({ ...NO_SURROUNDINGS, egress: guard() });
  opened.push(destination);
  return destination;
}

async function failure(work: Promise<unknown>): Promise<FerryError> {
  const thrown = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (thrown instanceof FerryError) return thrown;
  throw thrown ?? new Error('nothing went wrong');
}

describe.each(TYPES)('a destination of type %s', (type) => {
  let door: Door;

  const begin = async (addresses: readonly string[], greet: (socket: Socket) => void) => {
    door = await openDoor(addresses, greet);
  };
  afterEach(() => door.close());

  it('does not connect to this machine, however that is spelled', async () => {
    await begin([INSIDE, ALSO_INSIDE, '127.0.0.2'], () => {});
    let tried = 0;
    for (const host of [...THIS_MACHINE, ...INSIDE_NAMES]) {
      const destination = await open(type, host, door.port);
      if (!destination) continue;
      tried += 1;
      const error = await failure(destination.stat('x', NEVER));
      expect(error, host).toMatchObject({ code: 'address-forbidden', retry: 'never' });
      expect(error.message, host).toMatch(/\((SSH|AWS|WEBDAV|AZURE|DROPBOX)_.*operator of Ferry/);
    }
    expect(tried).toBeGreaterThan(80);
    expect([...door.met]).toEqual([]);
  });

  it.each(['inside.test', 'mixed.test', 'mixed6.test'])(
    'connects to no address of %s',
    async (host) => {
      await begin([OUTSIDE, INSIDE, ALSO_INSIDE], () => {});
      const destination = await open(type, host, door.port);
      const error = await failure(destination?.stat('x', NEVER) ?? Promise.resolve());
      expect(error).toMatchObject({ code: 'address-forbidden', retry: 'never' });
      expect([...door.met]).toEqual([]);
    },
  );

  it.each(['rebind.test', 'rebind6.test'])(
    'is not led inside by %s, whose next answer is another one',
    async (host) => {
      await begin([OUTSIDE, INSIDE, ALSO_INSIDE], (socket) => {
        // Whoever comes has to come again.
        socket.once('data', () => socket.destroy()).write('');
        if (type === 'ssh') socket.destroy();
      });
      const destination = await open(type, host, door.port);
      const codes: string[] = [];
      while (destination && codes.at(-1) !== 'address-forbidden' && codes.length < 3) {
        codes.push((await failure(destination.stat('x', NEVER))).code);
      }
      expect(codes.at(-1)).toBe('address-forbidden');
      expect([...door.met]).toEqual([[OUTSIDE, 1]]);
    },
  );

  it('connects to the second address where nobody is at the first', async () => {
    await begin([OUTSIDE], (socket) => socket.destroy());
    const destination = await open(type, 'several.test', door.port);
    await failure(destination?.stat('x', NEVER) ?? Promise.resolve());
    expect(door.met.get(OUTSIDE)).toBeGreaterThan(0);
  });

  it('says in its connection test where the host leads, and stops before the door', async () => {
    await begin([INSIDE], () => {});
    const destination = await open(type, 'inside.test', door.port);
    const steps: CheckStep[] = [];
    for await (const step of destination?.check(NEVER) ?? []) steps.push(step);
    expect(steps).toMatchObject([
      { step: 'name lookup', detail: INSIDE },
      { step: 'address', error: { code: 'address-forbidden' } },
    ]);
    expect([...door.met]).toEqual([]);
  });
});

describe.each(TYPES.filter((type) => type !== 'ssh'))('a redirect, to type %s', (type) => {
  it.each([301, 302, 307, 308])('leads nowhere inside: %d', async (status) => {
    const inside = await openDoor([INSIDE], () => {});
    const outside = createHttpServer((incoming, answer) => {
      incoming.resume();
      const location = `http://${INSIDE}:${inside.port}${incoming.url}`;
      answer.writeHead(status, { location, 'x-amz-bucket-region': 'eu-central-1' }).end();
    });
    outside.listen(0, OUTSIDE);
    await once(outside, 'listening');
    const { port } = outside.address() as AddressInfo;
    const destination = await open(type, 'files.test', port);
    await failure(destination?.stat('x', NEVER) ?? Promise.resolve());
    expect([...inside.met]).toEqual([]);
    outside.closeAllConnections();
    await once(outside.close(), 'close');
    await inside.close();
  });
});

describe('the sockets of a destination', () => {
  const PURPOSE = { type: 'webdav', settings: { host: 'WEBDAV_URL', port: 'WEBDAV_URL' } };
  let agents: Agents;
  let trust: Trust;
  let servers: { plain: Server; sealed: Server };
  let ports: { plain: number; sealed: number };
  const shown: (string | false | undefined | null)[] = [];
  let connections = 0;

  beforeAll(async () => {
    const authority = await createAuthority();
    const { key, cert } = await authority.issue('DNS:files.test');
    await authority.remove();
    trust = { insecure: false, authorities: [authority.pem] };
    const plain = createHttpServer((_incoming, answer) => answer.end('here'));
    const sealed = createHttpsServer({ key, cert }, (_incoming, answer) => answer.end('here'));
    plain.on('connection', () => {
      connections += 1;
    });
    sealed.on('secureConnection', (socket: TLSSocket & { servername?: string | false }) =>
      shown.push(socket.servername),
    );
    for (const server of [plain, sealed]) {
      server.listen(0, OUTSIDE);
      await once(server, 'listening');
    }
    servers = { plain, sealed };
    ports = {
      plain: (plain.address() as AddressInfo).port,
      sealed: (sealed.address() as AddressInfo).port,
    };
  });
  beforeEach(() => {
    shown.length = 0;
    connections = 0;
    agents = createAgents(trust, 4, guard(), PURPOSE);
  });
  afterEach(() => {
    agents.httpAgent.destroy();
    agents.httpsAgent.destroy();
  });
  afterAll(() => {
    for (const server of Object.values(servers)) server.close();
  });

  const get = async (url: string, options: RequestOptions = {}): Promise<string> => {
    const send = url.startsWith('https:') ? sealedRequest : request;
    const agent = url.startsWith('https:') ? agents.httpsAgent : agents.httpAgent;
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const asked = send(url, { agent, ...options }, async (answer) => {
      let text = '';
      for await (const chunk of answer) text += chunk;
      resolve(text);
    });
    asked.on('error', reject).end();
    return promise;
  };

  it('look a name up once for each connection, and for no request over it', async () => {
    for (let n = 0; n < 20; n++) {
      expect(await get(`http://files.test:${ports.plain}/`)).toBe('here');
    }
    expect(connections).toBe(1);
    expect(names.asked('files.test')).toBe(1);
  });

  it('show the name to the server, and hold its certificate against it', async () => {
    expect(await get(`https://files.test:${ports.sealed}/`)).toBe('here');
    expect(shown).toEqual(['files.test']);
    const misnamed = await get(`https://several.test:${ports.sealed}/`).catch((error) => error);
    expect(misnamed).toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
  });

  it('are tried out in the same steps', async () => {
    const address = { protocol: 'https', host: 'files.test', port: ports.sealed } as const;
    const steps: CheckStep[] = [];
    const reaching = reachingSteps(address, trust, guard(), PURPOSE, NEVER);
    for await (const step of runSteps(reaching, toFerryError, NEVER)) steps.push(step);
    expect(steps).toMatchObject([
      { step: 'name lookup', detail: OUTSIDE },
      { step: 'address' },
      { step: 'TCP' },
      { step: 'TLS', detail: 'TLSv1.3' },
    ]);
    expect(names.asked('files.test')).toBe(1);
  });

  it.each([
    'http://2130706433',
    'http://0x7f.1',
    'http://localhost',
    'http://[::1]',
    'http://[::ffff:127.0.0.1]',
    'https://127.0.0.1',
    'https://inside.test',
  ])('do not lead to %s', async (origin) => {
    const error = await get(`${origin}:${ports.plain}/`).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(FerryError);
    expect(error).toMatchObject({ code: 'address-forbidden' });
  });

  it('do not lead to a port that is not allowed', async () => {
    const error = await get(`http://${OUTSIDE}:25/`).catch((thrown) => thrown);
    expect(error).toMatchObject({ code: 'address-forbidden' });
  });

  it('do not take an address that the caller of Node gives in its own way', async () => {
    const url = `http://files.test:${ports.plain}/`;
    const error = await get(url, { hostname: '127.1', lookup: () => {} }).catch((thrown) => thrown);
    expect(error).toMatchObject({ code: 'address-forbidden' });
  });

  it('end as they always did where there is nobody of the name', async () => {
    const error = await get('http://absent.test:8080/').catch((thrown) => thrown);
    expect(error).toMatchObject({ code: 'ENOTFOUND' });
  });
});
