import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  bytesUpload,
  type Dropbox,
  DropboxAuth,
  DropboxResponseError,
  downloadFile,
  type files,
  readerUpload,
  uploadFile,
} from 'dropbox';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { contentHash } from '../../local/dropbox/content-hash.ts';
import type { Account } from '../../local/dropbox/oauth.ts';
import { rateLimited } from '../../local/dropbox/refusal.ts';
import { ROUTES } from '../../local/dropbox/routes.ts';
import { type DropboxFake, startDropboxFake } from '../../local/dropbox/server.ts';
import { atEndpoint, officialClient } from '../servers/dropbox-client.ts';
import { sampleBytes } from './sample.ts';

const MiB = 1024 * 1024;
const BLOCK = 4 * MiB;

/** Every tag of the error that the official client throws, from the outside in. */
async function refusal(work: Promise<unknown>): Promise<{ status: number; tags: string }> {
  const thrown = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(thrown instanceof DropboxResponseError)) throw new Error('not refused', { cause: thrown });
  const { status, error } = thrown;
  return { status, tags: error?.error_summary?.replace(/\/?\.*$/, '') ?? error?.error ?? error };
}

describe('the fake of Dropbox, seen by the official client', () => {
  let fake: DropboxFake;
  let folder: string;
  let account: Account;
  let refreshToken: string;
  let client: Dropbox;

  const connect = (token: string) =>
    officialClient({
      endpoint: fake.endpoint,
      clientId: fake.app.key,
      clientSecret: fake.app.secret,
      refreshToken: token,
    });
  const contentOf = (path: string) => {
    const found = account.tree.find(path);
    return found?.kind === 'file' ? readFile(found.blob) : undefined;
  };
  const startConcurrent = async () => {
    const { result } = await client.filesUploadSessionStart({
      session_type: { '.tag': 'concurrent' },
      contents: Buffer.alloc(0),
    });
    return result.session_id;
  };
  const append = (session_id: string, offset: number, contents: Buffer, close = false) =>
    client.filesUploadSessionAppendV2({
      cursor: { session_id, offset },
      close,
      contents,
      content_hash: contentHash(contents),
    });
  const finish = (
    session_id: string,
    offset: number,
    path: string,
    contents: Buffer = Buffer.alloc(0),
  ) =>
    client.filesUploadSessionFinish({
      cursor: { session_id, offset },
      commit: { path, mode: { '.tag': 'overwrite' } },
      contents,
    });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dropbox-fake-'));
    fake = await startDropboxFake({ folder, listPage: 3 });
  });
  beforeEach(() => {
    account = fake.addAccount(`account-${Math.random()}`);
    refreshToken = fake.oauth.connect(fake.app, account);
    client = connect(refreshToken);
  });
  afterAll(async () => {
    await fake.stop();
    await rm(folder, { recursive: true });
  });

  describe('takes files', () => {
    it('in one request, with the hash that the client adds', async () => {
      const contents = sampleBytes(BLOCK + 5, 'one request');
      const { result } = await client.filesUpload({ path: '/a/🚢 café.tar', contents });
      expect(result).toMatchObject({
        name: '🚢 café.tar',
        path_display: '/a/🚢 café.tar',
        size: contents.length,
        content_hash: contentHash(contents),
      });
      expect(await contentOf('/a/🚢 café.tar')).toEqual(contents);
    });

    it.each([
      ['sequentially', {}],
      ['in parallel', { parallelUploads: 3 }],
    ])("by the client's own uploader %s", async (_how, options) => {
      for (const size of [0, 1, BLOCK, 3 * BLOCK, 3 * BLOCK + 17]) {
        const contents = sampleBytes(size, `uploader ${size}`);
        const path = `/up/${size}.bin`;
        const { metadata } = await uploadFile(
          client,
          bytesUpload(contents),
          { path },
          { chunkSize: BLOCK, ...options },
        );
        expect(metadata).toMatchObject({ size, content_hash: contentHash(contents) });
        expect(await contentOf(path)).toEqual(contents);
      }
    });

    it('by the uploader that reads a stream', async () => {
      const contents = sampleBytes(BLOCK + 9, 'stream');
      async function* pieces() {
        for (let at = 0; at < contents.length; at += 70_000) {
          yield contents.subarray(at, at + 70_000);
        }
      }
      await uploadFile(client, readerUpload(pieces()), { path: '/s.bin' }, { chunkSize: MiB });
      expect(await contentOf('/s.bin')).toEqual(contents);
    });

    it('although the answer to a piece was lost: the uploader sends it again', async () => {
      const contents = sampleBytes(3 * BLOCK + 1, 'lost');
      for (const repeated of ['stored again', 'refused'] as const) {
        fake.sessions.repeated = repeated;
        fake.script({ route: 'files/upload_session/append_v2', what: 'lose-answer', after: 1 });
        await uploadFile(
          client,
          bytesUpload(contents),
          { path: `/${repeated}.bin` },
          { chunkSize: BLOCK, parallelUploads: 2, retryDelay: 1 },
        );
        expect(await contentOf(`/${repeated}.bin`)).toEqual(contents);
      }
      fake.sessions.repeated = 'stored again';
    });

    it('over an older file by `overwrite`, and not by `add`', async () => {
      await client.filesUpload({ path: '/x.bin', contents: Buffer.from('old') });
      const again = client.filesUpload({ path: '/X.bin', contents: Buffer.from('new') });
      expect(await refusal(again)).toEqual({ status: 409, tags: 'path/conflict/file' });
      const mode = { '.tag': 'overwrite' } as const;
      await client.filesUpload({ path: '/x.bin', contents: Buffer.from('new'), mode });
      expect(String(await contentOf('/x.bin'))).toBe('new');
      const { result } = await client.filesUpload({
        path: '/x.bin',
        contents: Buffer.from('other'),
        autorename: true,
      });
      expect(result.path_display).toBe('/x (1).bin');
    });
  });

  describe('holds the limits of upload sessions', () => {
    const piece = sampleBytes(BLOCK, 'piece');

    it('of the grid of 4 MiB', async () => {
      const session = await startConcurrent();
      expect(await refusal(append(session, 5, piece))).toMatchObject({
        tags: 'concurrent_session_invalid_offset',
      });
      expect(await refusal(append(session, 0, piece.subarray(1)))).toMatchObject({
        tags: 'concurrent_session_invalid_data_size',
      });
      await append(session, 0, piece);
      await append(session, BLOCK, piece.subarray(0, 77), true);
      expect(await refusal(append(session, BLOCK, piece))).toMatchObject({ tags: 'closed' });
      const { result } = await finish(session, BLOCK + 77, '/grid.bin');
      expect(result.size).toBe(BLOCK + 77);
    });

    it('of starting and finishing', async () => {
      const withData = client.filesUploadSessionStart({
        session_type: { '.tag': 'concurrent' },
        contents: piece,
      });
      expect(await refusal(withData)).toMatchObject({
        tags: 'concurrent_session_data_not_allowed',
      });
      const session = await startConcurrent();
      await append(session, BLOCK, piece);
      expect(await refusal(finish(session, 2 * BLOCK, '/no.bin'))).toMatchObject({
        tags: 'concurrent_session_not_closed',
      });
      await append(session, 2 * BLOCK, piece.subarray(0, 1), true);
      expect(await refusal(finish(session, 2 * BLOCK + 1, '/no.bin'))).toMatchObject({
        tags: 'concurrent_session_missing_data',
      });
      expect(account.tree.find('/no.bin')).toBeUndefined();
    });

    it('of several finished at once, each by itself', async () => {
      const { result } = await client.filesUploadSessionStart({ contents: piece, close: true });
      const entry = (session_id: string, path: string) => ({
        cursor: { session_id, offset: BLOCK },
        commit: { path },
      });
      const answer = await client.filesUploadSessionFinishBatchV2({
        entries: [entry('no-session', '/lost.bin'), entry(result.session_id, '/batch.bin')],
      });
      expect(answer.result.entries).toMatchObject([
        { '.tag': 'failure', failure: { '.tag': 'lookup_failed' } },
        { '.tag': 'success', name: 'batch.bin', size: BLOCK },
      ]);
      expect(await contentOf('/batch.bin')).toEqual(piece);
    });

    it('of order in a sequential session', async () => {
      const { result } = await client.filesUploadSessionStart({ contents: piece });
      const { session_id } = result;
      expect(await refusal(append(session_id, 7, piece))).toMatchObject({
        tags: 'incorrect_offset',
      });
      const early = finish(session_id, 7, '/early.bin');
      expect(await refusal(early)).toMatchObject({ tags: 'lookup_failed/incorrect_offset' });
      expect((await finish(session_id, BLOCK, '/seq.bin', piece)).result.size).toBe(2 * BLOCK);
    });

    it('of size and of time', async () => {
      const { result } = await client.filesUploadSessionStart({ contents: Buffer.alloc(0) });
      const large = client.filesUploadSessionAppendV2({
        cursor: { session_id: result.session_id, offset: 0 },
        contents: Buffer.alloc(150 * MiB + 1),
      });
      expect(await refusal(large)).toEqual({ status: 409, tags: 'payload_too_large' });
      const session = await startConcurrent();
      const beyond = append(session, 2 ** 41 - 2 ** 22, piece);
      expect(await refusal(beyond)).toMatchObject({ tags: 'too_large' });
      await fake.sessions.expireAll();
      expect(await refusal(append(session, 0, piece))).toMatchObject({ tags: 'not_found' });
      expect(await refusal(finish(session, 0, '/late.bin'))).toMatchObject({
        tags: 'lookup_failed/not_found',
      });
    });

    it('of what was hashed', async () => {
      const wrong = client.filesUpload({
        path: '/h.bin',
        contents: piece,
        content_hash: contentHash(piece.subarray(1)),
      });
      expect(await refusal(wrong)).toEqual({ status: 409, tags: 'content_hash_mismatch' });
    });

    it('of the account', async () => {
      account.quota = BLOCK;
      const session = await startConcurrent();
      await append(session, 0, piece);
      await append(session, BLOCK, piece.subarray(0, 1), true);
      expect(await refusal(finish(session, BLOCK + 1, '/big.bin'))).toEqual({
        status: 409,
        tags: 'path/insufficient_space',
      });
      const { result } = await client.usersGetSpaceUsage();
      expect(result).toMatchObject({ used: 0, allocation: { allocated: BLOCK } });
    });
  });

  describe('names', () => {
    it.each([
      ['/a\\b', 'path/malformed_path'],
      ['/a /b', 'path/malformed_path'],
      ['/a.tar ', 'path/malformed_path'],
      [`/${'n'.repeat(256)}`, 'path/malformed_path'],
      ['/x/Desktop.ini', 'path/disallowed_name'],
      ['/.DS_Store', 'path/disallowed_name'],
    ])('%j is refused', async (path, tags) => {
      const put = client.filesUpload({ path, contents: Buffer.from('x') });
      expect(await refusal(put)).toEqual({ status: 409, tags });
    });

    it('are composed when they are stored, and looked for as they are', async () => {
      const contents = Buffer.from('x');
      const { result } = await client.filesUpload({ path: '/cafe\u0301', contents });
      expect(result.path_display).toBe('/caf\u00e9');
      const asked = client.filesGetMetadata({ path: '/cafe\u0301' });
      expect(await refusal(asked)).toMatchObject({ tags: 'path/not_found' });
    });

    it('of folders come into being with the files in them, and stand in the way of files', async () => {
      await client.filesUpload({ path: '/One/Two/f', contents: Buffer.from('x') });
      const { result } = await client.filesGetMetadata({ path: '/one' });
      expect(result).toMatchObject({ '.tag': 'folder', path_display: '/One' });
      const over = client.filesUpload({ path: '/one', contents: Buffer.from('x') });
      expect(await refusal(over)).toMatchObject({ tags: 'path/conflict/folder' });
      const below = client.filesUpload({ path: '/One/Two/f/g', contents: Buffer.from('x') });
      expect(await refusal(below)).toMatchObject({ tags: 'path/conflict/file_ancestor' });
      const made = client.filesCreateFolderV2({ path: '/ONE' });
      expect(await refusal(made)).toMatchObject({ tags: 'path/conflict/folder' });
    });
  });

  it('lists by pages, with folders, and says when a folder is not there', async () => {
    for (const name of ['a/1', 'a/2', 'a/b/3', 'a/b/4', 'ab/5']) {
      await client.filesUpload({ path: `/${name}`, contents: Buffer.from(name) });
    }
    const seen: string[] = [];
    let page = (await client.filesListFolder({ path: '/a', recursive: true })).result;
    for (;;) {
      seen.push(...page.entries.map((entry) => `${entry['.tag']} ${entry.path_display}`));
      expect(page.entries.length).toBeLessThanOrEqual(3);
      if (!page.has_more) break;
      page = (await client.filesListFolderContinue({ cursor: page.cursor })).result;
    }
    expect(seen.sort()).toEqual(
      ['file /a/1', 'file /a/2', 'folder /a/b', 'file /a/b/3', 'file /a/b/4'].sort(),
    );
    const root = await client.filesListFolder({ path: '' });
    expect(root.result.entries.map(({ name }) => name)).toEqual(['a', 'ab']);
    expect(await refusal(client.filesListFolder({ path: '/none' }))).toMatchObject({
      tags: 'path/not_found',
    });
    expect((await refusal(client.filesListFolder({ path: '/' }))).status).toBe(400);
    expect(await refusal(client.filesListFolderContinue({ cursor: 'zz' }))).toMatchObject({
      tags: 'reset',
    });
  });

  it('gives files back, whole and by ranges', async () => {
    const contents = sampleBytes(BLOCK + 99, 'download');
    await client.filesUpload({ path: '/d/ü.bin', contents });
    const { result } = await client.filesDownload({ path: '/d/ü.bin' });
    expect(Buffer.compare(Buffer.from(result.fileBinary ?? []), contents)).toBe(0);
    const local = join(folder, 'downloaded.bin');
    const { metadata } = await downloadFile(client, '/d/ü.bin', local, { parallelDownloads: 3 });
    expect(metadata.content_hash).toBe(contentHash(contents));
    expect(await readFile(local)).toEqual(contents);
    expect(await refusal(client.filesDownload({ path: '/d/none' }))).toMatchObject({
      tags: 'path/not_found',
    });
  });

  it('deletes, also exactly one revision', async () => {
    const { result } = await client.filesUpload({ path: '/r', contents: Buffer.from('1') });
    const mode = { '.tag': 'overwrite' } as const;
    await client.filesUpload({ path: '/r', contents: Buffer.from('2'), mode });
    const old = client.filesDeleteV2({ path: '/r', parent_rev: result.rev });
    expect(await refusal(old)).toMatchObject({ tags: 'path_write/conflict/file' });
    await client.filesDeleteV2({ path: '/r' });
    expect(await refusal(client.filesDeleteV2({ path: '/r' }))).toEqual({
      status: 409,
      tags: 'path_lookup/not_found',
    });
  });

  describe('lets in', () => {
    const authorize = async (auth: DropboxAuth, usePKCE: boolean, scope?: string[]) => {
      const url = await auth.getAuthenticationUrl(
        '',
        '',
        'code',
        'offline',
        scope ?? undefined,
        'none',
        usePKCE,
      );
      const page = await fetch(atEndpoint(url, fake.endpoint));
      return /<code>(.*)<\/code>/.exec(await page.text())?.[1] ?? '';
    };
    const authOf = (more: object) =>
      new DropboxAuth({
        clientId: fake.app.key,
        fetch: (url: string, init: RequestInit) => fetch(atEndpoint(url, fake.endpoint), init),
        ...more,
      });

    it('whoever shows the code with its verifier, once', async () => {
      const auth = authOf({});
      const code = await authorize(auth, true);
      const { result } = await auth.getAccessTokenFromCode('', code);
      expect(result).toMatchObject({
        refresh_token: expect.any(String),
        access_token: expect.stringMatching(/^sl\./),
        expires_in: 14_400,
        scope: expect.stringContaining('files.content.write'),
      });
      expect(await refusal(auth.getAccessTokenFromCode('', code))).toEqual({
        status: 400,
        tags: 'invalid_grant',
      });
      const stolen = authOf({});
      stolen.setCodeVerifier('not the verifier of that code');
      const other = await authorize(auth, true);
      expect(await refusal(stolen.getAccessTokenFromCode('', other))).toMatchObject({
        tags: 'invalid_grant',
      });
    });

    it('whoever has the secret of the app', async () => {
      const auth = authOf({ clientSecret: fake.app.secret });
      const code = await authorize(auth, false);
      expect((await auth.getAccessTokenFromCode('', code)).status).toBe(200);
      const wrong = authOf({ clientSecret: 'wrong', refreshToken });
      expect(await refusal(wrong.refreshAccessToken())).toMatchObject({ tags: 'invalid_client' });
      const gone = authOf({ clientSecret: fake.app.secret, refreshToken: 'gone' });
      expect(await refusal(gone.refreshAccessToken())).toMatchObject({ tags: 'invalid_grant' });
    });

    it('nobody whose token ran out, was taken back or does not reach so far', async () => {
      const contents = Buffer.from('x');
      await client.filesUpload({ path: '/t', contents });
      fake.oauth.expireAccessTokens();
      expect(await refusal(client.filesUpload({ path: '/t', contents }))).toEqual({
        status: 401,
        tags: 'expired_access_token',
      });
      const reader = connect(
        fake.oauth.connect(fake.app, account, { scopes: ['files.metadata.read'] }),
      );
      await reader.filesListFolder({ path: '' });
      expect(await refusal(reader.filesUpload({ path: '/t', contents }))).toEqual({
        status: 401,
        tags: 'missing_scope',
      });
      const leaving = connect(refreshToken);
      await leaving.filesListFolder({ path: '' });
      fake.oauth.revoke(refreshToken);
      expect(await refusal(leaving.filesListFolder({ path: '' }))).toEqual({
        status: 401,
        tags: 'invalid_access_token',
      });
    });

    it('an app of one folder into that folder alone', async () => {
      const app = fake.oauth.addApp({
        ...fake.app,
        key: 'folderapp',
        access: 'app-folder',
        name: 'One',
      });
      const inside = officialClient({
        endpoint: fake.endpoint,
        clientId: app.key,
        clientSecret: app.secret,
        refreshToken: fake.oauth.connect(app, account),
      });
      await client.filesUpload({ path: '/secret', contents: Buffer.from('x') });
      const { result } = await inside.filesUpload({ path: '/f', contents: Buffer.from('x') });
      expect(result.path_display).toBe('/f');
      const { entries } = (await inside.filesListFolder({ path: '', recursive: true })).result;
      expect(entries.map(({ path_display }) => path_display)).toEqual(['/f']);
      expect(account.tree.find('/Apps/One/f')).toBeDefined();
    });
  });

  it('refuses what the API does not know, and headers that are not ASCII', async () => {
    await client.filesListFolder({ path: '' });
    const [token = ''] = fake.oauth.accessTokens.slice(-1);
    const ask = async (path: string, headers: Record<string, string>, body?: string) => {
      const authorization = `Bearer ${token}`;
      const answer = await fetch(`${fake.endpoint}/2/${path}`, {
        method: 'POST',
        headers: { authorization, ...headers },
        ...(body === undefined ? {} : { body }),
      });
      return [answer.status, await answer.text()];
    };
    const json = { 'content-type': 'application/json' };
    expect(await ask('files/nothing', json, '{}')).toEqual([404, expect.stringMatching(/Unknown/)]);
    expect(await ask('files/get_metadata', json, '{"path":"/x","colour":1}')).toEqual([
      400,
      expect.stringMatching(/colour/),
    ]);
    expect(await ask('files/get_metadata', {}, '{"path":"/x"}')).toEqual([
      400,
      expect.stringMatching(/Content-Type/),
    ]);
    const octets = { 'content-type': 'application/octet-stream' };
    expect(
      await ask('files/upload', { ...octets, 'dropbox-api-arg': '{"path":"/ü"}' }, 'x'),
    ).toEqual([400, expect.stringMatching(/could not decode/)]);
  });

  it('plays what it is told, so often and so late as it is told', async () => {
    const route = 'files/list_folder';
    fake.script({ route, what: rateLimited('too_many_requests', 7), after: 1, times: 2 });
    const list = () => client.filesListFolder({ path: '' });
    await list();
    for (const _ of [1, 2]) {
      expect(await refusal(list())).toEqual({ status: 429, tags: 'too_many_requests' });
    }
    await list();
  });
});

describe('the fake of Dropbox, held against the types of the official client', () => {
  const read = (path: string) =>
    readFileSync(new URL(`../../node_modules/dropbox/${path}`, import.meta.url), 'utf8');
  const routes = read('lib/routes.js');
  const types = read('types/dropbox_types.d.ts');
  /** Names of arguments in the types. */
  const ARGUMENTS: Readonly<Record<string, string>> = {
    'files/upload': 'UploadArg',
    'files/upload_session/start': 'UploadSessionStartArg',
    'files/upload_session/append_v2': 'UploadSessionAppendArg',
    'files/upload_session/finish': 'UploadSessionFinishArg',
    'files/upload_session/finish_batch_v2': 'UploadSessionFinishBatchArg',
    'files/get_metadata': 'GetMetadataArg',
    'files/list_folder': 'ListFolderArg',
    'files/list_folder/continue': 'ListFolderContinueArg',
    'files/download': 'DownloadArg',
    'files/delete_v2': 'DeleteArg',
    'files/create_folder_v2': 'CreateFolderArg',
  };
  /** Fields of an interface, those of what it extends included: name and whether it may be left out. */
  const fieldsOf = (name: string): ReadonlyMap<string, boolean> => {
    const [, parent, body = ''] =
      new RegExp(`interface ${name}(?: extends (\\w+))? \\{\n(.*?)\n    \\}\n`, 's').exec(types) ??
      [];
    const own = [...body.matchAll(/^ {6}(\w+)(\??):/gm)].map(
      ([, field = '', mark]) => [field, mark === '?'] as const,
    );
    return new Map([...(parent ? fieldsOf(parent) : []), ...own]);
  };

  it.each(Object.entries(ROUTES))('%s has its style, scope and arguments', (name, route) => {
    const { style, scope, argument } = route;
    expect(routes).toMatch(
      new RegExp(`request\\('${name}', (arg|null), '[a-z, ]*user', '\\w+', '${style}', '${scope}'`),
    );
    if (!argument) return;
    const known = fieldsOf(ARGUMENTS[name] ?? '');
    expect(known.size).toBeGreaterThan(0);
    for (const field of Object.keys(argument.shape)) expect([...known.keys()]).toContain(field);
    for (const [field, mayBeLeftOut] of known) {
      if (!mayBeLeftOut) expect(Object.keys(argument.shape)).toContain(field);
    }
  });

  it('has no error that the types do not have', () => {
    const sources = ['sessions', 'routes', 'server', 'names', 'tree', 'oauth', 'refusal'].map(
      (file) => readFileSync(new URL(`../../local/dropbox/${file}.ts`, import.meta.url), 'utf8'),
    );
    const tags = sources.flatMap((source) =>
      [...source.matchAll(/(?:routeError|refuse|authError)\(\[?([^)]*?)[\])]/g)].flatMap(
        ([, list = '']) => [...list.matchAll(/'([a-z_]+)'/g)].map(([, tag = '']) => tag),
      ),
    );
    expect(tags.length).toBeGreaterThan(20);
    const unknown = tags.filter((tag) => !types.includes(`'.tag': '${tag}'`));
    expect(unknown).toEqual([]);
  });

  it('has the fields of the results that the types call necessary', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'dropbox-fake-'));
    const fake = await startDropboxFake({ folder });
    const account = fake.addAccount('types');
    const client = officialClient({
      endpoint: fake.endpoint,
      clientId: fake.app.key,
      clientSecret: fake.app.secret,
      refreshToken: fake.oauth.connect(fake.app, account),
    });
    const { result } = await client.filesUpload({ path: '/f', contents: Buffer.from('x') });
    const typed: files.FileMetadata = result;
    for (const [field, mayBeLeftOut] of fieldsOf('FileMetadata')) {
      if (!mayBeLeftOut) expect(typed).toHaveProperty(field);
    }
    for (const field of Object.keys(typed)) {
      expect([...fieldsOf('FileMetadata').keys()]).toContain(field);
    }
    await fake.stop();
    await rm(folder, { recursive: true });
  });
});
