import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { request as openRequest } from 'node:http';
import { get as openSealedGet } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { startWebDavServer } from '../../local/webdav-server.ts';
import { startApache } from '../servers/apache.ts';
import { createAuthority } from '../servers/certificates.ts';
import { startNginx } from '../servers/nginx-dav.ts';
import { startSabre } from '../servers/sabredav.ts';
import type { WebDavServer } from '../servers/webdav-server.ts';
import { askDav, basicOf } from './webdav-request.ts';

const MiB = 1024 * 1024;
const running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop()));
});

async function started<T extends WebDavServer>(start: Promise<T>): Promise<T> {
  const server = await start;
  running.push(server);
  return server;
}

/** Answers the challenge of a refusal (RFC 7616, with qop `auth` or none). */
function digestOf(server: WebDavServer, method: string, challenge: string): string {
  const told = (name: string) => new RegExp(`\\b${name}="?([^",]+)`).exec(challenge)?.[1] ?? '';
  const md5 = (text: string) => createHash('md5').update(text).digest('hex');
  const { pathname } = new URL(`${server.url}/`);
  const login = md5(`${server.username}:${told('realm')}:${server.password}`);
  const tail = `${told('nonce')}:00000001:cafe:auth:${md5(`${method}:${pathname}`)}`;
  return [
    `Digest username="${server.username}", realm="${told('realm')}", nonce="${told('nonce')}"`,
    `uri="${pathname}", response="${md5(`${login}:${tail}`)}", qop=auth, nc=00000001, cnonce="cafe"`,
    ...(told('opaque') ? [`opaque="${told('opaque')}"`] : []),
  ].join(', ');
}

describe.each([
  ['Apache', startApache],
  ['SabreDAV', startSabre],
] as const)('%s for Digest alone', (_, start) => {
  it('refuses Basic, and takes an answer to its challenge', async () => {
    const server = await started(start({ auth: 'digest', password: 'marked:secret' }));
    const ask = (authorization: string) =>
      askDav(server, 'PROPFIND', '/', { depth: '0', authorization });
    const refused = await ask(basicOf(server.username, server.password));
    expect(refused.status).toBe(401);
    const challenge = refused.headers.get('www-authenticate') ?? '';
    expect(challenge).toMatch(/^Digest /);
    expect((await ask(digestOf(server, 'PROPFIND', challenge))).status).toBe(207);
    const wrong = digestOf({ ...server, password: 'wrong' }, 'PROPFIND', challenge);
    expect((await ask(wrong)).status).toBe(401);
  });
});

it('Apache forgets a nonce when its time is over, and says that it is stale', async () => {
  const server = await started(startApache({ auth: 'digest', nonceSeconds: 1 }));
  const ask = (authorization: string) =>
    askDav(server, 'PROPFIND', '/', { depth: '0', authorization });
  const challenge = (await ask('')).headers.get('www-authenticate') ?? '';
  const authorization = digestOf(server, 'PROPFIND', challenge);
  expect((await ask(authorization)).status).toBe(207);
  await wait(2100);
  const stale = await ask(authorization);
  expect(stale.status).toBe(401);
  expect(stale.headers.get('www-authenticate')).toContain('stale=true');
});

describe('without a login', () => {
  it.each([
    ['Apache', () => startApache({ auth: 'none' })],
    ['SabreDAV', () => startSabre({ auth: 'none' })],
    ['nginx', () => startNginx({ auth: 'none' })],
  ] as const)('%s lets everybody in', async (_, start) => {
    const server = await started<WebDavServer>(start());
    const answer = await fetch(`${server.url}/open`, { method: 'PUT', body: 'x' });
    expect(answer.status).toBe(201);
  });
});

describe('on a disk that is full', () => {
  const body = new Uint8Array(2 * MiB).fill(1);
  const put = (server: WebDavServer) => askDav(server, 'PUT', '/large', {}, body);
  const left = async ({ folder }: WebDavServer) => {
    const names = (await readdir(folder)).sort();
    return Promise.all(names.map(async (name) => [name, (await stat(join(folder, name))).size]));
  };

  it('Apache says so, and leaves nothing', async () => {
    const server = await started(startApache({ smallBytes: MiB }));
    expect((await put(server)).status).toBe(507);
    expect(await left(server)).toEqual([]);
  });

  it('Apache leaves what fitted of a piece', async () => {
    const server = await started(startApache({ smallBytes: MiB }));
    await askDav(server, 'PUT', '/large', { 'content-range': 'bytes 0-3/2097152' }, 'head');
    const range = { 'content-range': `bytes 4-${body.length + 3}/${body.length + 4}` };
    expect((await askDav(server, 'PUT', '/large', range, body)).status).toBe(507);
    const [found] = await left(server);
    expect(found?.[1]).toBeLessThan(body.length);
  });

  it('nginx fails, and leaves what fitted under a name of its own', async () => {
    const server = await started(startNginx({ smallBytes: MiB }));
    expect((await put(server)).status).toBe(500);
    expect(await left(server)).toEqual([[expect.stringMatching(/^large\.\d{10}$/), MiB]]);
  });

  it('SabreDAV says that all is well, and leaves what fitted', async () => {
    const server = await started(startSabre({ smallBytes: MiB }));
    expect((await put(server)).status).toBe(201);
    expect(await left(server)).toEqual([['large', MiB]]);
  });
});

describe.each([
  ['Apache', startApache],
  ['nginx', startNginx],
] as const)('%s', (_, start) => {
  it('refuses a body that is larger than it may be', async () => {
    const server = await started<WebDavServer>(start({ mostBodyBytes: MiB }));
    const put = (bytes: number) => askDav(server, 'PUT', '/file', {}, new Uint8Array(bytes));
    expect((await put(MiB)).status).toBe(201);
    expect((await put(MiB + 1)).status).toBe(413);
    expect((await stat(join(server.folder, 'file'))).size).toBe(MiB);
  });

  it('speaks https with the certificate that it is given', async () => {
    const authority = await createAuthority();
    const tls = await authority.issue('IP:127.0.0.1');
    await authority.remove();
    const server = await started<WebDavServer>(start({ tls, auth: 'none' }));
    expect(server.url).toMatch(/^https:/);
    const [trusted] = await once(
      openSealedGet(`${server.url}/x`, { ca: authority.pem }),
      'response',
    );
    trusted.resume();
    expect(trusted.statusCode).toBe(404);
    await expect(fetch(`${server.url}/x`)).rejects.toThrow('fetch failed');
  });
});

it('nginx lists no name that begins with a dot, though it stores and finds it', async () => {
  const server = await started(startNginx());
  await askDav(server, 'PUT', '/.hidden', {}, 'x');
  await askDav(server, 'PUT', '/shown', {}, 'x');
  const list = await (await askDav(server, 'PROPFIND', '/', { depth: '1' })).text();
  expect(list).toContain('/shown<');
  expect(list).not.toContain('.hidden');
  expect((await askDav(server, 'PROPFIND', '/.hidden', { depth: '0' })).status).toBe(207);
});

describe('the embedded server', () => {
  const start = async () => {
    const root = await mkdtemp(join(tmpdir(), 'ferry-webdav-'));
    const users = { ann: 'with:colon>~?+/%é', bob: 'secret' };
    const server = await startWebDavServer({ root, users });
    running.push({
      async stop() {
        await server.stop();
        await rm(root, { recursive: true });
      },
    });
    return { root, users, ...server };
  };

  it('shows each user their own folder and nothing else', async () => {
    const { root, users, url } = await start();
    const ann = { url, username: 'ann', password: users.ann };
    const bob = { url, username: 'bob', password: users.bob };
    expect((await askDav(ann, 'PUT', '/mine', {}, 'of ann')).status).toBe(201);
    expect(await readFile(join(root, 'ann/mine'), 'utf8')).toBe('of ann');
    for (const path of ['/mine', '/ann/mine', '/%2e%2e%2fann%2fmine', '/..%2fann%2fmine']) {
      expect((await askDav(bob, 'GET', path)).status).toBeGreaterThanOrEqual(400);
    }
    expect((await askDav({ ...bob, password: users.ann }, 'GET', '/mine')).status).toBe(401);
    expect((await askDav({ ...bob, username: 'constructor' }, 'GET', '/mine')).status).toBe(401);
  });

  it('outlives a path that is not encoded as it should be', async () => {
    const { users, url } = await start();
    const bob = { url, username: 'bob', password: users.bob };
    expect((await askDav(bob, 'PUT', '/%zz', {}, 'x')).status).toBe(400);
    expect((await askDav(bob, 'PUT', '/fine', {}, 'x')).status).toBe(201);
  });

  it('stores a large file without holding it in memory', async () => {
    const { root, users, port } = await start();
    const headers = { authorization: basicOf('bob', users.bob) };
    const put = openRequest({ method: 'PUT', host: '127.0.0.1', port, path: '/large', headers });
    const piece = Buffer.alloc(MiB, 7);
    let most = 0;
    const pieces = function* () {
      for (let count = 0; count < 400; count++) {
        most = Math.max(most, process.memoryUsage.rss());
        yield piece;
      }
    };
    const before = process.memoryUsage.rss();
    const answered = once(put, 'response');
    await pipeline(Readable.from(pieces()), put);
    const [answer] = await answered;
    answer.resume();
    expect(answer.statusCode).toBe(201);
    expect((await stat(join(root, 'bob/large'))).size).toBe(400 * MiB);
    expect(most - before).toBeLessThan(150 * MiB);
  });
});
