import { once } from 'node:events';
import { access, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { request as openRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startWebDavServer } from '../../local/webdav-server.ts';
import { startApache } from '../servers/apache.ts';
import { startNginx } from '../servers/nginx-dav.ts';
import { startSabre } from '../servers/sabredav.ts';
import { USERNAME, type WebDavServer } from '../servers/webdav-server.ts';
import { askDav, basicOf } from './webdav-request.ts';

const PASSWORD = 'marked:secret~>?%é';

async function startEmbedded(): Promise<WebDavServer> {
  const root = await mkdtemp(join(tmpdir(), 'ferry-webdav-'));
  const server = await startWebDavServer({ root, users: { [USERNAME]: PASSWORD, other: 'pass' } });
  return {
    url: server.url,
    username: USERNAME,
    password: PASSWORD,
    folder: join(root, USERNAME),
    async stop() {
      await server.stop();
      await rm(root, { recursive: true });
    },
  };
}

/** What servers do with the requests on which they differ: a status, and where it matters what is stored then. */
const SERVERS = [
  {
    name: 'Apache mod_dav',
    start: () => startApache({ password: PASSWORD }),
    rangedPut: [204, '0123456789'],
    malformedRange: 400,
    patch: [405, 'hello'],
    ifNoneMatch: [412, 'hello'],
    missingFolder: 409,
    moveNew: 201,
    moveToPath: 400,
    moveToOtherScheme: 502,
    cutPutLeaves: 0,
  },
  {
    name: 'SabreDAV',
    start: () => startSabre({ password: PASSWORD }),
    rangedPut: [501, '0123'],
    malformedRange: 501,
    patch: [204, 'helLOW!'],
    ifNoneMatch: [412, 'hello'],
    missingFolder: 404,
    moveNew: 201,
    moveToPath: 204,
    moveToOtherScheme: 204,
    cutPutLeaves: 0,
  },
  {
    name: 'nginx',
    start: () => startNginx({ password: PASSWORD }),
    rangedPut: [501, '0123'],
    malformedRange: 501,
    patch: [405, 'hello'],
    ifNoneMatch: [204, 'other'],
    missingFolder: 201,
    moveNew: 204,
    moveToPath: 204,
    moveToOtherScheme: 400,
    cutPutLeaves: 0,
  },
  {
    name: 'the embedded server',
    start: startEmbedded,
    rangedPut: [200, '456789'],
    malformedRange: 200,
    patch: [501, 'hello'],
    ifNoneMatch: [200, 'other'],
    missingFolder: 409,
    moveNew: 201,
    moveToPath: 204,
    moveToOtherScheme: 204,
    cutPutLeaves: 100_000,
  },
] as const;

describe.each(SERVERS)('$name', ({ start, ...expected }) => {
  let server: WebDavServer;
  beforeAll(async () => {
    server = await start();
  });
  afterAll(() => server.stop());

  const ask = (method: string, path: string, headers = {}, body?: string) =>
    askDav(server, method, path, headers, body);
  const stored = (path: string) => readFile(join(server.folder, path), 'utf8');
  const statusOf = async (...request: Parameters<typeof ask>) => (await ask(...request)).status;

  it('lets nobody in without the password', async () => {
    const knock = (headers: Record<string, string>) =>
      fetch(`${server.url}/`, { method: 'PROPFIND', headers: { depth: '0', ...headers } });
    const refused = await knock({});
    expect(refused.status).toBe(401);
    expect(refused.headers.get('www-authenticate')).toMatch(/^Basic realm=/);
    expect((await knock({ authorization: basicOf(server.username, 'wrong') })).status).toBe(401);
    expect((await knock({ authorization: basicOf(server.username, PASSWORD) })).status).toBe(207);
  });

  it('has its own way with a ranged PUT', async () => {
    await ask('PUT', '/ranged', {}, '0123');
    const [status, content] = expected.rangedPut;
    const range = { 'content-range': 'bytes 4-9/10' };
    expect(await statusOf('PUT', '/ranged', range, '456789')).toBe(status);
    expect(await stored('ranged')).toBe(content);
    const malformed = { 'content-range': 'nonsense' };
    expect(await statusOf('PUT', '/ranged', malformed, 'x')).toBe(expected.malformedRange);
  });

  it('has its own way with a PATCH', async () => {
    await ask('PUT', '/patched', {}, 'hello');
    const [status, content] = expected.patch;
    const headers = {
      'content-type': 'application/x-sabredav-partialupdate',
      'x-update-range': 'bytes=3-6',
    };
    expect(await statusOf('PATCH', '/patched', headers, 'LOW!')).toBe(status);
    expect(await stored('patched')).toBe(content);
  });

  it('has its own way with If-None-Match on a PUT', async () => {
    await ask('PUT', '/taken', {}, 'hello');
    const [status, content] = expected.ifNoneMatch;
    expect(await statusOf('PUT', '/taken', { 'if-none-match': '*' }, 'other')).toBe(status);
    expect(await stored('taken')).toBe(content);
  });

  it('has its own way with a PUT into a missing folder', async () => {
    expect(await statusOf('PUT', '/missing/file', {}, 'x')).toBe(expected.missingFolder);
  });

  it('has its own way with a PUT that breaks off', async () => {
    const { pathname, port } = new URL(server.url);
    const path = `${pathname === '/' ? '' : pathname}/cut`;
    const headers = { authorization: basicOf(server.username, PASSWORD), 'content-length': 1e6 };
    const put = openRequest({ method: 'PUT', host: '127.0.0.1', port, path, headers });
    put.on('error', () => {}).write(Buffer.alloc(100_000));
    await wait(300);
    put.destroy();
    await wait(300);
    const left = await stat(join(server.folder, 'cut')).catch(() => ({ size: 0 }));
    expect(left.size).toBe(expected.cutPutLeaves);
    const names = await readdir(server.folder);
    expect(names.filter((name) => /davfs|cut\./.test(name))).toEqual([]);
  });

  it('makes a folder, and says when it is there already or its parent is not', async () => {
    expect(await statusOf('MKCOL', '/folder/')).toBe(201);
    expect(await statusOf('MKCOL', '/folder/')).toBe(405);
    expect(await statusOf('MKCOL', '/absent/folder/')).toBe(409);
  });

  it('moves a file to a free name and onto another', async () => {
    const to = (path: string) => ({ destination: `${server.url}${path}`, overwrite: 'T' });
    await ask('PUT', '/first', {}, 'first');
    expect(await statusOf('MOVE', '/first', to('/final'))).toBe(expected.moveNew);
    await ask('PUT', '/second', {}, 'second');
    expect(await statusOf('MOVE', '/second', { ...to('/final'), overwrite: 'F' })).toBe(412);
    expect(await statusOf('MOVE', '/second', to('/final'))).toBe(204);
    expect(await stored('final')).toBe('second');
    await expect(access(join(server.folder, 'second'))).rejects.toThrow();
  });

  it.each([
    ['a path', 'moveToPath', (url: string) => new URL(url).pathname],
    ['another scheme', 'moveToOtherScheme', (url: string) => url.replace('http:', 'https:')],
  ] as const)('has its own way with a MOVE to %s', async (_, what, spell) => {
    await ask('PUT', '/target', {}, 'old');
    await ask('PUT', '/source', {}, 'new');
    const destination = spell(`${server.url}/target`);
    const status = await statusOf('MOVE', '/source', { destination, overwrite: 'T' });
    expect(status).toBe(expected[what]);
    expect(await stored('target')).toBe(status < 300 ? 'new' : 'old');
  });

  it.each(['space and +', '#1 100%', "it's “quoted”", '😀', 'é', 'e\u0301', '.hidden', '&<[];=,@'])(
    'stores, finds, reads and removes a file named %j',
    async (name) => {
      const path = `/${encodeURIComponent(name)}`;
      expect(await statusOf('PUT', path, {}, name)).toBe(201);
      expect(await stored(name)).toBe(name);
      const found = await ask('PROPFIND', path, { depth: '0' });
      expect(found.status).toBe(207);
      const length = /getcontentlength[^>]*>(\d+)</.exec(await found.text())?.[1];
      expect(Number(length)).toBe(Buffer.byteLength(name));
      const part = await ask('GET', path, { range: 'bytes=1-' });
      expect(part.status).toBe(206);
      expect(Buffer.from(await part.arrayBuffer())).toEqual(Buffer.from(name).subarray(1));
      expect([200, 204]).toContain(await statusOf('DELETE', path));
      expect(await statusOf('PROPFIND', path, { depth: '0' })).toBe(404);
    },
  );

  it('takes a body whose length it is not told', async () => {
    const { pathname, port } = new URL(server.url);
    const path = `${pathname === '/' ? '' : pathname}/streamed`;
    const headers = { authorization: basicOf(server.username, PASSWORD) };
    const put = openRequest({ method: 'PUT', host: '127.0.0.1', port, path, headers });
    Readable.from([Buffer.alloc(1e6, 1), Buffer.alloc(1e6, 2)]).pipe(put);
    const [answer] = await once(put, 'response');
    answer.resume();
    expect(answer.statusCode).toBe(201);
    expect((await stat(join(server.folder, 'streamed'))).size).toBe(2e6);
  });

  it('shows what is put into its folder, and is gone with it when stopped', async () => {
    const another = await start();
    await writeFile(join(another.folder, 'put'), 'here');
    expect(await (await askDav(another, 'GET', '/put')).text()).toBe('here');
    await another.stop();
    await expect(fetch(another.url)).rejects.toThrow();
    await expect(access(another.folder)).rejects.toThrow();
  });
});
