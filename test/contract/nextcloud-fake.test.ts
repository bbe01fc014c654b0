import { access, readdir, readFile } from 'node:fs/promises';
import { request as openRequest } from 'node:http';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import {
  type NextcloudFake,
  type NextcloudOptions,
  startNextcloudFake,
} from '../servers/nextcloud-fake.ts';
import { askDav, basicOf } from './webdav-request.ts';

const UPLOADS = '/remote.php/dav/uploads/ferry';
const running: NextcloudFake[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop()));
});

/** Asks about the user's files, and about uploads of one whole of ten bytes. */
async function start(options: NextcloudOptions = {}) {
  const server = await startNextcloudFake({ leastChunkBytes: 4, ...options });
  running.push(server);
  const ask = async (...[method, path, headers, body]: Ask) => {
    const answer = await askDav(server, method, path, headers, body);
    return { status: answer.status, text: await answer.text(), headers: answer.headers };
  };
  const whole = { destination: `${server.url}/whole`, 'oc-total-length': '10' };
  const askUpload = async (...[method, path, headers = whole, body]: Ask) => {
    const at = { ...server, url: `${server.origin}${UPLOADS}` };
    const answer = await askDav(at, method, path, headers, body);
    return { status: answer.status, text: await answer.text() };
  };
  const stored = (path: string) => readFile(join(server.folder, path), 'utf8');
  const list = async (headers = {}) => {
    const { text } = await askUpload('PROPFIND', '/id/', { depth: '1', ...headers });
    const names = [...text.matchAll(/<d:href>[^<]*\/id\/([^<]+)<.*?contentlength>(\d+)</gs)];
    return Object.fromEntries(names.map(([, name, size]) => [name, Number(size)]));
  };
  return { server, ask, askUpload, stored, list, whole };
}
type Ask = [
  method: string,
  path: string,
  headers?: Record<string, string>,
  body?: string | Uint8Array<ArrayBuffer>,
];

describe('the files of a Nextcloud', () => {
  it('are for who has the password; what it is, it tells everybody', async () => {
    const { server } = await start();
    const status = await fetch(`${server.origin}/status.php`);
    expect(await status.json()).toMatchObject({ installed: true, productname: 'Nextcloud' });
    const knock = (headers: Record<string, string>) =>
      fetch(server.url, { method: 'PROPFIND', headers: { depth: '0', ...headers } });
    expect((await knock({})).status).toBe(401);
    expect((await knock({ authorization: basicOf(server.username, 'wrong') })).status).toBe(401);
    const right = basicOf(server.username, server.password);
    expect((await knock({ authorization: right })).status).toBe(207);
    const elsewhere = server.url.replace(/ferry$/, 'other');
    const headers = { authorization: right, depth: '0' };
    expect((await fetch(elsewhere, { method: 'PROPFIND', headers })).status).toBe(404);
  });

  it('are at two addresses, of which one does not name the user, who can be asked for', async () => {
    const { server } = await start();
    const at = (path: string) => ({ ...server, url: `${server.origin}/remote.php${path}` });
    expect((await askDav(at('/webdav'), 'PUT', '/a', {}, 'x')).status).toBe(201);
    expect(await (await askDav(server, 'GET', '/a')).text()).toBe('x');
    const body =
      '<propfind xmlns="DAV:"><prop><current-user-principal/><getetag/></prop></propfind>';
    const root = await (await askDav(at('/dav'), 'PROPFIND', '/', { depth: '0' }, body)).text();
    expect(root).toContain('<d:href>/remote.php/dav/principals/users/ferry/</d:href>');
    expect(root).toMatch(/<d:getetag\/><\/d:prop><d:status>HTTP\/1.1 404/);
  });

  it('are put whole or not at all', async () => {
    const { server, ask, stored } = await start();
    expect((await ask('PUT', '/file', { 'x-oc-mtime': '1000000000' }, 'first')).status).toBe(201);
    expect((await ask('PUT', '/file', { 'if-none-match': '*' }, 'x')).status).toBe(412);
    expect((await ask('PUT', '/file', { 'content-range': 'bytes 0-0/1' }, 'x')).status).toBe(400);
    expect((await ask('PUT', '/missing/file', {}, 'x')).status).toBe(409);
    expect((await ask('PATCH', '/file', { 'x-update-range': 'append' }, 'x')).status).toBe(501);
    const headers = {
      authorization: basicOf(server.username, server.password),
      'content-length': 10,
    };
    const cut = openRequest(`${server.url}/file`, { method: 'PUT', headers });
    cut.on('error', () => {}).write('half');
    await wait(100);
    cut.destroy();
    await wait(100);
    expect(await stored('file')).toBe('first');
    const { text } = await ask('PROPFIND', '/', { depth: '1' });
    expect(text).toContain('<d:getlastmodified>Sun, 09 Sep 2001 01:46:40 GMT<');
    expect(text.match(/<d:href>/g)).toHaveLength(2);
    expect((await ask('PUT', '/file', {}, 'second')).status).toBe(204);
    expect((await ask('GET', '/file', { range: 'bytes=1-2' })).text).toBe('ec');
    expect((await ask('GET', '/file', { range: 'bytes=6-' })).status).toBe(416);
  });

  it('are moved within the user’s own, whatever host is named', async () => {
    const { server, ask, stored } = await start();
    await ask('PUT', '/from', {}, 'x');
    const move = (destination: string) => ask('MOVE', '/from', { destination, overwrite: 'T' });
    expect((await move(`${server.url}/missing/to`)).status).toBe(409);
    expect((await move(`${server.origin}/elsewhere/to`)).status).toBe(403);
    const { pathname } = new URL(server.url);
    expect((await move(`https://cloud.example.org${pathname}/to%20%23`)).status).toBe(201);
    await ask('PUT', '/from', {}, 'y');
    const onto = { destination: `${pathname}/to%20%23`, overwrite: 'F' };
    expect((await ask('MOVE', '/from', onto)).status).toBe(412);
    expect((await move(onto.destination)).status).toBe(204);
    expect(await stored('to #')).toBe('y');
    expect((await move(onto.destination)).status).toBe(404);
  });

  it('have names in NFC, and not all names', async () => {
    const { server, ask } = await start();
    expect((await ask('PUT', `/${encodeURIComponent('e\u0301')}`, {}, 'x')).status).toBe(201);
    expect(await readdir(server.folder)).toEqual(['\u00e9']);
    expect((await ask('GET', `/${encodeURIComponent('e\u0301')}`)).text).toBe('x');
    for (const name of ['a.part', 'a.filepart', '.htaccess', 'a%5Cb', 'n'.repeat(251)]) {
      expect((await ask('PUT', `/${name}`, {}, 'x')).status).toBe(400);
      expect((await ask('PROPFIND', `/${name}`, { depth: '0' })).status).toBe(400);
    }
  });

  it('have room up to the quota, and bodies up to what the proxy takes', async () => {
    const { ask, askUpload } = await start({ quotaBytes: 9, mostBodyBytes: 20 });
    expect((await ask('PUT', '/file', {}, '12345678')).status).toBe(201);
    expect((await ask('PUT', '/more', {}, 'ab')).status).toBe(507);
    expect((await ask('PROPFIND', '/', { depth: '0' })).text).toContain('available-bytes>1<');
    expect((await ask('PUT', '/more', {}, 'a'.repeat(21))).status).toBe(413);
    await askUpload('MKCOL', '/id');
    expect((await askUpload('PUT', '/id/00001', undefined, 'a')).status).toBe(507);
  });
});

describe.each(['v1', 'v2'] as const)('a chunked upload to a Nextcloud, %s', (version) => {
  it('is seen under its name when its chunks are put together in the order of their numbers', async () => {
    const { server, askUpload, stored, list } = await start({ version });
    expect((await askUpload('PUT', '/id/00001', undefined, 'x')).status).toBe(409);
    expect((await askUpload('MKCOL', '/id')).status).toBe(201);
    expect((await askUpload('MKCOL', '/id')).status).toBe(405);
    expect((await askUpload('PUT', '/id/00010', undefined, '89')).status).toBe(201);
    expect((await askUpload('PUT', '/id/00009', undefined, 'wrong')).status).toBe(201);
    await askUpload('PUT', '/id/00009', undefined, '01234567');
    const chunks = version === 'v1' ? { '00009': 8, '00010': 2 } : { 9: 8, 10: 2, '.target': 0 };
    expect(await list()).toMatchObject(chunks);
    expect((await askUpload('GET', '/id/00009')).status).toBe(405);
    await expect(access(join(server.folder, 'whole'))).rejects.toThrow();
    expect((await askUpload('MOVE', '/id/.file')).status).toBe(201);
    expect(await stored('whole')).toBe('0123456789');
    expect(await readdir(server.uploads)).toEqual([]);
    expect((await askUpload('MOVE', '/id/.file')).status).toBe(404);
  });

  it('is dropped when its folder is removed', async () => {
    const { server, askUpload } = await start({ version });
    await askUpload('MKCOL', '/id');
    await askUpload('PUT', '/id/00001', undefined, 'x');
    expect((await askUpload('DELETE', '/id')).status).toBe(204);
    expect((await askUpload('DELETE', '/id')).status).toBe(404);
    expect(await readdir(server.uploads)).toEqual([]);
  });

  it('goes on being put together when the proxy has lost patience', async () => {
    const assembly = { takesMs: 400, answersMs: 50 };
    const { server, askUpload, stored, list } = await start({ version, assembly });
    await askUpload('MKCOL', '/id');
    await askUpload('PUT', '/id/00001', undefined, '0123456789');
    expect((await askUpload('MOVE', '/id/.file')).status).toBe(504);
    expect((await askUpload('MOVE', '/id/.file')).status).toBe(423);
    expect(Object.keys(await list())).toContain('.file');
    await expect(access(join(server.folder, 'whole'))).rejects.toThrow();
    await wait(600);
    expect(await stored('whole')).toBe('0123456789');
    expect((await askUpload('MOVE', '/id/.file')).status).toBe(404);
  });
});

describe('a chunked upload of v1', () => {
  it('is refused where its chunks do not sum up', async () => {
    const { askUpload } = await start();
    await askUpload('MKCOL', '/id');
    await askUpload('PUT', '/id/00001', undefined, '012345678');
    const refused = await askUpload('MOVE', '/id/.file');
    expect(refused.status).toBe(400);
    expect(refused.text).toContain('Chunks on server do not sum up to 10 but to 9 bytes');
  });

  it('is gone after a day', async () => {
    const { server, askUpload } = await start();
    await askUpload('MKCOL', '/id');
    await server.expire();
    expect((await askUpload('PUT', '/id/00001', undefined, 'x')).status).toBe(409);
  });
});

describe('a chunked upload of v2', () => {
  it('takes numbers from 1 to 10000 alone, and does not check the sum', async () => {
    const { askUpload, stored } = await start({ version: 'v2' });
    await askUpload('MKCOL', '/id');
    for (const name of ['0', '10001', 'one', '1.5']) {
      expect((await askUpload('PUT', `/id/${name}`, undefined, 'x')).status).toBe(400);
    }
    expect((await askUpload('PUT', '/id/10000', undefined, 'short')).status).toBe(201);
    expect((await askUpload('MOVE', '/id/.file')).status).toBe(201);
    expect(await stored('whole')).toBe('short');
  });

  it('fails for good where a chunk but the last is too small', async () => {
    const { askUpload } = await start({ version: 'v2' });
    await askUpload('MKCOL', '/id');
    await askUpload('PUT', '/id/1', undefined, '012');
    await askUpload('PUT', '/id/2', undefined, '3456789');
    expect((await askUpload('MOVE', '/id/.file')).status).toBe(500);
    expect((await askUpload('MOVE', '/id/.file')).status).toBe(500);
  });

  it('knows no upload that was begun without a Destination', async () => {
    const { askUpload } = await start({ version: 'v2' });
    await askUpload('MKCOL', '/id', {});
    expect((await askUpload('PUT', '/id/1', undefined, 'x')).status).toBe(412);
  });

  it('takes a chunk without a Destination for a file that is none of its parts', async () => {
    const { askUpload, list, stored } = await start({ version: 'v2' });
    await askUpload('MKCOL', '/id');
    await askUpload('PUT', '/id/00001', {}, 'plain');
    await askUpload('PUT', '/id/00002', undefined, 'part');
    expect(await list()).toMatchObject({ '00001': 5, 2: 4 });
    await askUpload('MOVE', '/id/.file');
    expect(await stored('whole')).toBe('part');
  });

  it('forgets what it had after a day', async () => {
    const { server, askUpload, list } = await start({ version: 'v2' });
    await askUpload('MKCOL', '/id');
    await askUpload('PUT', '/id/00001', undefined, '01234');
    await server.expire();
    expect(await list()).toEqual({ '.file': 0, '.target': 0 });
    expect((await askUpload('PUT', '/id/00002', undefined, '56789')).status).toBe(412);
    expect((await askUpload('MOVE', '/id/.file')).status).toBe(400);
  });

  it('shows none of its parts in older versions', async () => {
    const { askUpload, list } = await start({ version: 'v2', listsParts: false });
    await askUpload('MKCOL', '/id');
    await askUpload('PUT', '/id/00001', undefined, '01234');
    expect(await list()).toEqual({ '.file': 0, '.target': 0 });
  });
});
