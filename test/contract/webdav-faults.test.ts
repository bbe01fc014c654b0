import { createHash, randomBytes } from 'node:crypto';
import { appendFile, readdir, readFile, rename, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { inspect } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FerryError } from '../../functions/core/errors.ts';
import type { Destination, RemoteFile } from '../../functions/destinations/contract.ts';
import { startApache } from '../servers/apache.ts';
import { startFaultProxy } from '../servers/fault-proxy.ts';
import { type Front, type Seen, startFront } from '../servers/http-front.ts';
import { startNginx } from '../servers/nginx-dav.ts';
import { startSabre } from '../servers/sabredav.ts';
import type { WebDavServer } from '../servers/webdav-server.ts';
import { failure } from './failure.ts';
import { digestOf } from './sample.ts';
import { BYTES, deliverSample, FILE, PLAN, sendSample, writePart } from './webdav-delivery.ts';
import { openWith, rememberingSurroundings, settingsOf, through } from './webdav-subject.ts';

const NEVER = new AbortController().signal;
const KiB = 1024;

const isMove = ({ method }: Seen) => method === 'MOVE';
const isPiece = ({ method, headers }: Seen) => method === 'PUT' && 'content-range' in headers;
const isProbe = ({ path }: Seen) => path.includes('/.ferry-probe-');

describe('WebDAV when things go wrong', () => {
  let server: WebDavServer;
  let front: Front;
  let destination: Destination;
  let file: RemoteFile;

  beforeAll(async () => {
    server = await startApache();
    front = await startFront(new URL(server.url).origin);
    destination = await openWith(settingsOf(server, through(front, server)));
    await destination.capabilities(NEVER);
  });
  beforeEach(() => {
    front.react(() => undefined);
    const transferId = randomBytes(8).toString('hex');
    file = { ...FILE, path: `html/${transferId}.tar`, transferId };
  });
  afterAll(async () => {
    await destination.close();
    await front.stop();
    await server.stop();
  });

  const onDisk = (path: string) => join(server.folder, path);
  const temporary = () => onDisk(`html/.ferry-${file.transferId}-${file.transferId}.tar`);
  const stored = async () => digestOf(await readFile(onDisk(file.path)));
  const moves = (since: number) => front.seen.slice(since).filter(isMove);

  describe('publishing', () => {
    it('the answer to MOVE is lost: the file is found under its name, and nothing is sent again', async () => {
      const upload = await sendSample(destination, file);
      const before = front.seen.length;
      front.react((seen) => (isMove(seen) ? 'lose-answer' : undefined));
      expect(await upload.finish(digestOf(BYTES), NEVER)).toMatchObject({ size: BYTES.length });
      expect(moves(before)).toHaveLength(1);
      expect(await stored()).toEqual(digestOf(BYTES));
    });

    it('MOVE takes longer than a proxy waits: the file is waited for', async () => {
      const upload = await sendSample(destination, file);
      const before = front.seen.length;
      front.react((seen) => {
        if (!isMove(seen)) return undefined;
        wait(1200).then(() => rename(temporary(), onDisk(file.path)));
        return { status: 504 };
      });
      expect(await upload.finish(digestOf(BYTES), NEVER)).toMatchObject({ size: BYTES.length });
      expect(moves(before)).toHaveLength(1);
    });

    it('MOVE stays unanswered for long: it is looked at again by the next invocation', async () => {
      const upload = await sendSample(destination, file);
      const checkpoint = await upload.checkpoint();
      front.react((seen) => (isMove(seen) ? { status: 504 } : undefined));
      const error = await failure(upload.finish(digestOf(BYTES), NEVER));
      expect(error).toMatchObject({ code: 'server-error', retry: 'later', scope: 'archive' });
      await rename(temporary(), onDisk(file.path));

      const before = front.seen.length;
      const resumed = await destination.resume(file, PLAN, checkpoint ?? null, NEVER);
      expect(resumed.held).toBe(PLAN.count);
      expect(await resumed.finish(digestOf(BYTES), NEVER)).toMatchObject({ size: BYTES.length });
      expect(front.seen.slice(before).map(({ method }) => method)).not.toContain('MOVE');
    });

    it('an older file of that name and size is not taken for the lost answer', async () => {
      await deliverSample(destination, { ...file, transferId: 'ffffffffffffffff' });
      const upload = await sendSample(destination, file);
      const checkpoint = await upload.checkpoint();
      await rm(temporary());
      expect(await failure(upload.finish(digestOf(BYTES), NEVER))).toMatchObject({
        code: 'upload-lost',
      });
      const resuming = destination.resume(file, PLAN, checkpoint ?? null, NEVER);
      expect(await failure(resuming)).toMatchObject({ code: 'upload-lost', retry: 'now' });
    });

    it.each([
      ['the other protocol', (to: string) => !to.startsWith('https:'), /^https:/],
      ['the path alone', (to: string) => /^https?:/.test(to), /^\/dav\//],
    ])('a server that knows itself by %s gets it so', async (_what, refuses, wanted) => {
      const upload = await sendSample(destination, file);
      const before = front.seen.length;
      front.react(async (seen) => {
        const to = String(seen.headers.destination);
        if (!isMove(seen)) return undefined;
        if (refuses(to)) return { status: 502 };
        await rename(temporary(), onDisk(file.path));
        return { status: 201 };
      });
      expect(await upload.finish(digestOf(BYTES), NEVER)).toMatchObject({ size: BYTES.length });
      expect(moves(before).at(-1)?.headers.destination).toMatch(wanted);
    });

    it('the file got shorter while it lay there: it is not published', async () => {
      const upload = await sendSample(destination, file);
      await truncate(temporary(), BYTES.length - 1);
      expect(await failure(upload.finish(digestOf(BYTES), NEVER))).toMatchObject({
        code: 'short-write',
        retry: 'now',
      });
      expect(await destination.stat(file.path, NEVER)).toBeUndefined();
      await upload.abort();
    });
  });

  describe('sizes', () => {
    it('a proxy takes small requests only: pieces become smaller until they fit, and stay so', async () => {
      const limited = await openWith(settingsOf(server, through(front, server)));
      const before = front.seen.length;
      front.react(({ bytes }) => (bytes > 200 * KiB ? { status: 413 } : undefined));
      await deliverSample(limited, file);
      expect(await stored()).toEqual(digestOf(BYTES));
      const refusedOnes = front.seen.slice(before).filter(({ bytes }) => bytes > 200 * KiB);
      expect(refusedOnes.map(({ bytes }) => bytes / KiB)).toEqual([1024, 512, 256]);
      await limited.close();
    });

    it('a proxy that takes next to nothing is explained', async () => {
      const limited = await openWith(settingsOf(server, through(front, server)));
      front.react(({ bytes }) => (bytes > 10 * KiB ? { status: 413 } : undefined));
      const error = await failure(deliverSample(limited, file));
      expect(error).toMatchObject({ code: 'too-large', retry: 'never', scope: 'archive' });
      expect(error.message).toMatch(/client_max_body_size.*LimitRequestBody.*100 MB/);
      await limited.close();
    });

    it('Apache itself with a limit gets pieces that fit', async () => {
      const small = await startApache({ mostBodyBytes: 300 * KiB });
      const limited = await openWith(settingsOf(small));
      await deliverSample(limited);
      expect(await readFile(join(small.folder, FILE.path))).toEqual(BYTES);
      await limited.close();
      await small.stop();
    });

    it('nginx itself with a limit says what to raise', async () => {
      const small = await startNginx({ mostBodyBytes: 1024 * KiB });
      const limited = await openWith(settingsOf(small));
      const error = await failure(deliverSample(limited));
      expect(error).toMatchObject({ code: 'too-large', retry: 'never' });
      expect(await limited.stat(FILE.path, NEVER)).toBeUndefined();
      await limited.close();
      await small.stop();
    });

    it('a first part that is stored short although all is said to be well is found at once', async () => {
      const upload = await destination.begin(file, PLAN, NEVER);
      front.react(async ({ method, path }) => {
        if (method !== 'PUT') return undefined;
        await putDirectly(path, BYTES.subarray(0, 1000));
        return { status: 201 };
      });
      expect(await failure(writePart(upload, 0))).toMatchObject({
        code: 'short-write',
        retry: 'now',
      });
      front.react(() => undefined);
      await upload.abort();
    });

    it('a later part that is not stored leaves no hole', async () => {
      const own = await openWith(settingsOf(server, through(front, server)));
      const upload = await own.begin(file, PLAN, NEVER);
      await writePart(upload, 0);
      front.react((seen) => (isPiece(seen) ? { status: 204 } : undefined));
      expect(await failure(writePart(upload, 1))).toMatchObject({ code: 'upload-lost' });
      expect(await failure(writePart(upload, 2))).toMatchObject({ code: 'upload-lost' });
      await upload.abort();
      await own.close();
    });
  });

  describe('what was found out', () => {
    const settings = () => settingsOf(server, through(front, server));

    it('is remembered: the next run tries nothing out', async () => {
      const surroundings = rememberingSurroundings();
      const first = await openWith(settings(), surroundings);
      const asked = front.seen.length;
      const [one, two] = await Promise.all([first.capabilities(NEVER), first.capabilities(NEVER)]);
      expect(one).toEqual(two);
      expect(
        new Set(
          front.seen
            .slice(asked)
            .filter((seen) => isProbe(seen) && isPiece(seen))
            .map(({ path }) => path),
        ).size,
      ).toBe(1);
      await first.close();

      const second = await openWith(settings(), surroundings);
      const before = front.seen.length;
      expect(await second.capabilities(NEVER)).toMatchObject({ writes: 'append', resume: 'parts' });
      await deliverSample(second, file);
      expect(front.seen.slice(before).filter(isProbe)).toEqual([]);
      await second.close();
    });

    it('holds for that place alone, and not with anything unknown in it', async () => {
      const surroundings = rememberingSurroundings();
      const first = await openWith(settings(), surroundings);
      await first.capabilities(NEVER);
      await first.close();
      const kept = await surroundings.recall();
      expect(JSON.stringify(kept)).not.toContain(server.password);
      const elsewhere = { ...settings(), WEBDAV_PATH: 'elsewhere' };
      for (const [given, found] of [
        [elsewhere, kept],
        [settings(), { ...Object(kept), v: 3 }],
        [settings(), 'put-range'],
      ] as const) {
        const other = await openWith(given, { ...surroundings, recall: async () => found });
        const before = front.seen.length;
        await other.capabilities(NEVER);
        expect(front.seen.slice(before).some(isProbe)).toBe(true);
        await other.close();
      }
    });

    it.each([400, 405, 409, 415, 501])(
      'is forgotten when a piece is answered %i: the upload begins anew, in another way',
      async (status) => {
        const own = await openWith(settings(), rememberingSurroundings());
        const upload = await own.begin(file, PLAN, NEVER);
        await writePart(upload, 0);
        front.react((seen) => (isPiece(seen) || seen.method === 'PATCH' ? { status } : undefined));
        expect(await failure(writePart(upload, 1))).toMatchObject({
          code: 'upload-lost',
          retry: 'now',
        });
        await upload.abort();
        await deliverSample(own, file);
        expect(await stored()).toEqual(digestOf(BYTES));
        expect(await own.capabilities(NEVER)).toMatchObject({ writes: 'whole', resume: 'none' });
        await own.close();
      },
    );

    it('is forgotten when a piece takes the place of the whole', async () => {
      const own = await openWith(settings(), rememberingSurroundings());
      const upload = await own.begin(file, PLAN, NEVER);
      for (const number of [0, 1]) await writePart(upload, number);
      front.react(async (seen, body) => {
        if (seen.method === 'PATCH') return { status: 405 };
        if (!isPiece(seen)) return undefined;
        await putDirectly(seen.path, body);
        return { status: 201 };
      });
      expect(await failure(writePart(upload, 2))).toMatchObject({ code: 'upload-lost' });
      await upload.abort();
      await deliverSample(own, file);
      expect(await stored()).toEqual(digestOf(BYTES));
      expect((await own.capabilities(NEVER)).writes).toBe('whole');
      await own.close();
    });

    it('is not missed where it can be neither kept nor looked up', async () => {
      const broken = async () => {
        throw new Error('the table is throttled');
      };
      const own = await openWith(settings(), {
        ...rememberingSurroundings(),
        recall: broken,
        remember: broken,
      });
      await deliverSample(own, file);
      expect(await stored()).toEqual(digestOf(BYTES));
      expect(await own.capabilities(NEVER)).toMatchObject({ writes: 'append', resume: 'parts' });
      const steps = [];
      for await (const step of own.check(NEVER)) steps.push(step);
      expect(steps.at(-1)?.error).toBeUndefined();
      await own.close();
    });

    it.each([500, 502])('is whole files where pieces are answered %i', async (status) => {
      const own = await openWith(settings());
      front.react((seen) => (isPiece(seen) || seen.method === 'PATCH' ? { status } : undefined));
      await deliverSample(own, file);
      expect(await stored()).toEqual(digestOf(BYTES));
      expect(await own.capabilities(NEVER)).toMatchObject({ writes: 'whole', resume: 'none' });
      await own.close();
    });

    it.each([503, 504, 507])('is not settled by a %i', async (status) => {
      const own = await openWith(settings());
      front.react((seen) => (isPiece(seen) || seen.method === 'PATCH' ? { status } : undefined));
      await failure(own.capabilities(NEVER));
      front.react(() => undefined);
      expect(await own.capabilities(NEVER)).toMatchObject({ writes: 'append', resume: 'parts' });
      await own.close();
    });

    it('is found out for all who ask, also when the first of them gives up', async () => {
      const own = await openWith(settings());
      front.react(async () => void (await wait(100)));
      const impatient = new AbortController();
      const first = failure(own.capabilities(impatient.signal));
      const second = own.capabilities(NEVER);
      impatient.abort();
      expect((await first).code).toBe('aborted');
      expect((await second).writes).toBe('append');
      await own.close();
    });

    it('what a killed worker tried with is removed by the next one', async () => {
      const surroundings = rememberingSurroundings();
      const isTidying = (seen: Seen) => isProbe(seen) && seen.method === 'DELETE';
      const probes = async () =>
        (await readdir(server.folder)).filter((name) => name.includes('probe'));
      const killed = await openWith(settings(), surroundings);
      front.react((seen) => (isPiece(seen) || isTidying(seen) ? { status: 504 } : undefined));
      await failure(killed.capabilities(NEVER));
      await killed.close();
      expect(await probes()).not.toEqual([]);

      front.react(() => undefined);
      const next = await openWith(settings(), surroundings);
      expect((await next.capabilities(NEVER)).writes).toBe('append');
      await next.close();
      expect(await probes()).toEqual([]);
    });

    it('leaves nothing behind, also when trying out fails', async () => {
      const own = await openWith(settings());
      front.react((seen) => (isPiece(seen) ? { status: 504 } : undefined));
      expect((await failure(own.capabilities(NEVER))).retry).toBe('later');
      front.react(() => undefined);
      expect((await own.capabilities(NEVER)).writes).toBe('append');
      expect((await readdir(server.folder)).filter((name) => name.includes('probe'))).toEqual([]);
      await own.close();
    });
  });

  describe('redirects', () => {
    it('another host is told of and not gone to: no request and no password gets there', async () => {
      const other = await startFront(new URL(server.url).origin);
      const away = await openWith(settingsOf(server, through(front, server)));
      const elsewhere = other.endpoint.replace('127.0.0.1', 'localhost');
      for (const status of [301, 302, 307, 308]) {
        front.react(({ path }) => ({
          status,
          headers: { location: `${elsewhere}${path}?token=hush` },
        }));
        const error = await failure(deliverSample(away, file));
        expect(error).toMatchObject({ code: 'protocol', retry: 'never' });
        expect(error.message).toContain(`${elsewhere}/dav`);
        expect(inspect(error, { depth: 8 })).not.toContain('hush');
        const steps = [];
        for await (const step of away.check(NEVER)) steps.push(step);
        expect(steps.at(-1)).toMatchObject({ step: 'authentication', error: { code: 'protocol' } });
      }
      expect(other.seen).toEqual([]);
      await away.close();
      await other.stop();
    });

    it('the same host at another address: the error tells what WEBDAV_URL should be', async () => {
      const away = await openWith(settingsOf(server, through(front, server)));
      await away.capabilities(NEVER);
      const secure = front.endpoint.replace('http:', 'https:');
      front.react(({ path }) => ({
        status: 301,
        headers: { location: `${secure}/new${encodeURI(path)}` },
      }));
      const error = await failure(away.begin(file, PLAN, NEVER));
      expect(error.message).toContain(`Set WEBDAV_URL to ${secure}/new/dav/.`);
      await away.close();
    });
  });

  describe('words that help', () => {
    it.each([
      [401, 'auth-refused', 'never', /WEBDAV_USERNAME and WEBDAV_PASSWORD/],
      [403, 'permission-denied', 'never', /WEBDAV_USERNAME/],
      [400, 'name-refused', 'never', /name/],
      [414, 'name-refused', 'never', /name/],
      [405, 'protocol', 'never', /WEBDAV_URL/],
      [423, 'server-error', 'later', /locked/],
      [429, 'throttled', 'later', /later/],
      [500, 'server-error', 'later', /later/],
      [503, 'throttled', 'later', /later/],
      [507, 'no-space', 'never', /room/],
    ] as const)('%i on a PUT', async (status, code, retry, words) => {
      const upload = await destination.begin(file, PLAN, NEVER);
      front.react(({ method }) =>
        method === 'PUT' ? { status, body: 'Basic c2VjcmV0' } : undefined,
      );
      const error = await failure(writePart(upload, 0));
      expect(error).toMatchObject({ code, retry });
      expect(error.message).toMatch(words);
    });

    it.each([
      ['a web page', { status: 200, body: '<html><p>Welcome<br></html>' }],
      ['a web page with a status of WebDAV', { status: 207, body: '<html><p>Welcome<br></html>' }],
      ['no WebDAV', { status: 405 }],
    ])('%s in place of WebDAV', async (_what, answer) => {
      front.react(() => answer);
      const steps = [];
      for await (const step of destination.check(NEVER)) steps.push(step);
      expect(steps.at(-1)).toMatchObject({ step: 'authentication', error: { code: 'protocol' } });
      const error = await failure(destination.stat('x', NEVER));
      expect(error).toMatchObject({ code: 'protocol', retry: 'never' });
      expect(error.message).toContain('WEBDAV_URL');
    });

    it('a WEBDAV_URL that does not exist', async () => {
      const nowhere = await openWith(settingsOf(server, `${server.url}/no/such`));
      expect(await failure(deliverSample(nowhere))).toMatchObject({
        code: 'not-found',
        retry: 'never',
        scope: 'destination',
      });
      const steps = [];
      for await (const step of nowhere.check(NEVER)) steps.push(step);
      expect(steps.at(-1)).toMatchObject({ step: 'authentication', error: { code: 'not-found' } });
      await nowhere.close();
    });

    it('a login of a kind that Ferry does not have', async () => {
      front.react(() => ({ status: 401, headers: { 'www-authenticate': 'Negotiate' } }));
      const own = await openWith(settingsOf(server, through(front, server)));
      const before = front.seen.length;
      const error = await failure(own.capabilities(NEVER));
      expect(error).toMatchObject({ code: 'auth-refused', retry: 'never' });
      expect(error.message).toContain('Basic and Digest');
      for (const { headers } of front.seen.slice(before)) {
        expect(headers.authorization).toBeUndefined();
      }
      await own.close();
    });

    it('the connection test tells how files are sent, and what server it is', async () => {
      const steps = [];
      for await (const step of destination.check(NEVER)) steps.push(step);
      expect(steps).toContainEqual(
        expect.objectContaining({
          step: 'authentication',
          detail: expect.stringMatching(/Apache/),
        }),
      );
      const way = steps.find(({ step }) => step === 'way of sending');
      expect(way?.detail).toMatch(/PUT with Content-Range.*goes on where it stopped/);
    });
  });

  it('a server that tells sizes to HEAD alone is asked so', async () => {
    await deliverSample(destination, file);
    front.react(({ method, path }) =>
      method === 'PROPFIND'
        ? {
            status: 207,
            body: `<multistatus xmlns="DAV:"><response><href>${encodeURI(path)}</href><propstat><prop><resourcetype/></prop><status>HTTP/1.1 200 OK</status></propstat></response></multistatus>`,
          }
        : undefined,
    );
    expect(await destination.stat(file.path, NEVER)).toMatchObject({ size: BYTES.length });
  });

  describe('reading', () => {
    it('a server that gives the whole file for a range is read up to the range', async () => {
      front.react(({ method }) =>
        method === 'GET' ? { status: 200, body: '0123456789' } : undefined,
      );
      const chunks: Uint8Array[] = [];
      for await (const chunk of destination.read('x', NEVER, { from: 3, to: 6 }))
        chunks.push(chunk);
      expect(Buffer.concat(chunks).toString()).toBe('345');
    });

    it('a server that gives another piece is found out', async () => {
      front.react(({ method }) =>
        method === 'GET'
          ? { status: 206, headers: { 'content-range': 'bytes 4-5/10' }, body: '45' }
          : undefined,
      );
      const reading = collect(destination.read('x', NEVER, { from: 3, to: 6 }));
      expect(await failure(reading)).toMatchObject({ code: 'protocol' });
    });

    it('a body that breaks is an error, not an end', async () => {
      await deliverSample(destination, file);
      front.react(({ method }) => (method === 'GET' ? 'cut-answer' : undefined));
      const reading = collect(destination.read(file.path, NEVER));
      expect(await failure(reading)).toMatchObject({ code: 'unreachable', retry: 'now' });
    });
  });

  it('a connection that breaks again and again is mended within the part', async () => {
    const { hostname: host, port } = new URL(server.url);
    const proxy = await startFaultProxy({ to: { host, port: Number(port) } });
    const own = await openWith(
      settingsOf(server, through({ endpoint: `http://127.0.0.1:${proxy.port}` }, server)),
    );
    await own.capabilities(NEVER);
    const before = proxy.accepted;
    proxy.set({ cutAfter: 1600 * KiB });
    await deliverSample(own, file);
    expect(await stored()).toEqual(digestOf(BYTES));
    expect(proxy.accepted - before).toBeGreaterThan(1);
    await own.close();
    await proxy.stop();
  });

  it('what a broken connection left of a part is written over', async () => {
    const upload = await destination.begin(file, PLAN, NEVER);
    for (const number of [0, 1]) await writePart(upload, number);
    const checkpoint = await upload.checkpoint();
    await appendFile(temporary(), Buffer.alloc(1000, 'x'));
    const resumed = await destination.resume(file, PLAN, checkpoint ?? null, NEVER);
    expect(resumed.held).toBe(2);
    for (const number of [2, 3]) await writePart(resumed, number);
    await resumed.finish(digestOf(BYTES), NEVER);
    expect(await stored()).toEqual(digestOf(BYTES));
  });

  it('a folder that somebody removes meanwhile is made again', async () => {
    const upload = await destination.begin(file, PLAN, NEVER);
    await rm(onDisk('html'), { recursive: true, force: true });
    for (const number of [0, 1, 2, 3]) await writePart(upload, number);
    await upload.finish(digestOf(BYTES), NEVER);
    expect(await stored()).toEqual(digestOf(BYTES));
  });

  /** Writes into the server without the front that plays with what Ferry sends. */
  async function putDirectly(path: string, body: Buffer): Promise<void> {
    const login = Buffer.from(`${server.username}:${server.password}`).toString('base64');
    const url = `${new URL(server.url).origin}${encodeURI(path)}`;
    const headers = { authorization: `Basic ${login}` };
    const { ok } = await fetch(url, { method: 'PUT', headers, body: new Uint8Array(body) });
    expect(ok).toBe(true);
  }
});

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

describe('a WebDAV login', () => {
  it('by Digest never shows the password, and outlives its nonces', async () => {
    const server = await startApache({ auth: 'digest', nonceSeconds: 1 });
    const front = await startFront(new URL(server.url).origin);
    const destination = await openWith(settingsOf(server, through(front, server)));
    const upload = await destination.begin(FILE, PLAN, NEVER);
    for (const number of [0, 1, 2, 3]) {
      await writePart(upload, number);
      if (number === 1) await wait(2100);
    }
    await upload.finish(digestOf(BYTES), NEVER);
    expect(await readFile(join(server.folder, FILE.path))).toEqual(BYTES);
    const shown = new Set(
      front.seen.map(({ headers }) => headers.authorization?.replace(/ .*/, '')),
    );
    expect([...shown].sort()).toEqual(['Digest', undefined]);
    expect(front.seen.some(({ answer }) => answer?.status === 401)).toBe(true);
    await destination.close();
    await front.stop();
    await server.stop();
  });

  it('by Basic holds every letter that a password may have', async () => {
    const password = 'pass wörd: €🚢+/=';
    const server = await startApache({ password });
    const destination = await openWith(settingsOf(server));
    await deliverSample(destination);
    await destination.close();
    await server.stop();
  });

  it('is not needed where the server asks nobody', async () => {
    const server = await startApache({ auth: 'none' });
    const destination = await openWith({ WEBDAV_URL: server.url });
    await deliverSample(destination);
    expect(await readFile(join(server.folder, FILE.path))).toEqual(BYTES);
    await destination.close();
    await server.stop();
  });
});

describe('a server whose ETags are the MD5 of a file', () => {
  it('proves every byte, where one process has seen them all', async () => {
    const server = await startSabre();
    const destination = await openWith(settingsOf(server));
    expect(await deliverSample(destination)).toMatchObject({
      verified: 'checksum',
      checksum: `"${createHash('md5').update(BYTES).digest('hex')}"`,
    });
    const upload = await destination.begin(FILE, PLAN, NEVER);
    for (const number of [0, 1]) await writePart(upload, number);
    const checkpoint = (await upload.checkpoint()) ?? null;
    const resumed = await destination.resume(FILE, PLAN, checkpoint, NEVER);
    for (const number of [2, 3]) await writePart(resumed, number);
    expect(await resumed.finish(digestOf(BYTES), NEVER)).toMatchObject({ verified: 'size' });
    await destination.close();
    await server.stop();
  });
});

describe('a server that takes whole files only', () => {
  it('is told by its shortened file, and by a full disk', async () => {
    const server = await startNginx();
    const front = await startFront(new URL(server.url).origin);
    const destination = await openWith(settingsOf(server, through(front, server)));
    expect((await destination.capabilities(NEVER)).writes).toBe('whole');
    front.react(({ method }) => (method === 'PUT' ? { status: 201 } : undefined));
    expect(await failure(sendSample(destination))).toMatchObject({ code: 'short-write' });
    front.react(({ method }) => (method === 'PUT' ? { status: 507 } : undefined));
    expect(await failure(sendSample(destination))).toMatchObject({ code: 'no-space' });
    front.react(() => undefined);
    await deliverSample(destination);
    expect(await readFile(join(server.folder, FILE.path))).toEqual(BYTES);
    await destination.close();
    await front.stop();
    await server.stop();
  });

  it('shows nothing of a PUT that broke, and has the file when it is sent again', async () => {
    const server = await startNginx();
    const { hostname: host, port } = new URL(server.url);
    const proxy = await startFaultProxy({ to: { host, port: Number(port) } });
    const destination = await openWith(
      settingsOf(server, through({ endpoint: `http://127.0.0.1:${proxy.port}` }, server)),
    );
    await destination.capabilities(NEVER);
    proxy.set({ cutAfter: 1600 * KiB });
    const upload = await destination.begin(FILE, PLAN, NEVER);
    const writing = (async () => {
      for (const number of [0, 1, 2, 3]) await writePart(upload, number);
    })();
    expect(await failure(writing)).toMatchObject({ code: 'unreachable', retry: 'now' });
    expect(await upload.checkpoint()).toBeUndefined();
    proxy.set({});
    await upload.abort();
    expect((await readdir(server.folder, { recursive: true })).sort()).toEqual(['html']);
    await deliverSample(destination);
    expect(await readFile(join(server.folder, FILE.path))).toEqual(BYTES);
    await destination.close();
    await proxy.stop();
    await server.stop();
  });

  it.each([
    ['is removed when the upload is called off', new Error('stopped'), []],
    [
      'is left to its new owner when another worker takes over',
      new FerryError('lease-lost', 'Another worker has taken over.', { retry: 'later' }),
      [`.ferry-${FILE.transferId}-site one.tar`],
    ],
  ] as const)('what stands under the temporary name %s', async (_, reason, left) => {
    const server = await startNginx();
    const settings = settingsOf(server);
    const destination = await openWith(settings);
    await destination.capabilities(NEVER);
    const stopping = new AbortController();
    const upload = await destination.begin(FILE, PLAN, NEVER);
    await writePart(upload, 0, stopping.signal);
    const successor = await openWith(settings);
    const taken = await sendSample(successor);
    stopping.abort(reason);
    await destination.close();
    expect(await readdir(join(server.folder, 'html'))).toEqual(left);
    if (left.length > 0) await taken.finish(digestOf(BYTES), NEVER);
    await successor.close();
    await server.stop();
  });

  it('has the file in one PUT with its length, and keeps it for another process once it is whole', async () => {
    const server = await startNginx();
    const front = await startFront(new URL(server.url).origin);
    const destination = await openWith(settingsOf(server, through(front, server)));
    await destination.capabilities(NEVER);
    const before = front.seen.length;
    const upload = await sendSample(destination);
    const puts = front.seen.slice(before).filter(({ method }) => method === 'PUT');
    expect(puts).toMatchObject([
      { bytes: BYTES.length, headers: { 'content-length': String(BYTES.length) } },
    ]);
    const checkpoint = await upload.checkpoint();
    const other = await openWith(settingsOf(server, through(front, server)));
    const resumed = await other.resume(FILE, PLAN, checkpoint ?? null, NEVER);
    expect(resumed.held).toBe(PLAN.count);
    await resumed.finish(digestOf(BYTES), NEVER);
    expect(front.seen.slice(before).filter(({ method }) => method === 'PUT')).toHaveLength(1);
    await Promise.all([destination.close(), other.close()]);
    await front.stop();
    await server.stop();
  });
});
