import { readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MiB, partRange } from '../../functions/core/parts.ts';
import type { Destination } from '../../functions/destinations/contract.ts';
import { type Front, startFront } from '../servers/http-front.ts';
import {
  type NextcloudFake,
  type NextcloudOptions,
  startNextcloudFake,
} from '../servers/nextcloud-fake.ts';
import { failure } from './failure.ts';
import { digestOf, sampleBytes } from './sample.ts';
import { openWith, settingsOf, through } from './webdav-subject.ts';

const NEVER = new AbortController().signal;
const BYTES = sampleBytes(10 * MiB + 77, 'nextcloud');
const PLAN = { size: BYTES.length, partSize: 5 * MiB, count: 3 };
const FILE = { path: 'html/a#b.tar', size: BYTES.length, transferId: '0123456789abcdef' };

describe('Nextcloud when things go wrong', () => {
  let server: NextcloudFake;
  let front: Front;
  let destination: Destination;

  const start = async (options: NextcloudOptions = {}) => {
    server = await startNextcloudFake(options);
    front = await startFront(server.origin);
    destination = await openWith(settingsOf(server, through(front, server)));
  };
  beforeEach(() => start());
  afterEach(() => stop());
  const stop = async () => {
    await destination.close();
    await front.stop();
    await server.stop();
  };
  const restart = async (options: NextcloudOptions) => {
    await stop();
    await start(options);
  };
  /** The three bytes with which chunks are tried out are put together at once, as at a real server. */
  const restartSlow = async (takesMs: number) => {
    await restart({ assembly: { takesMs, answersMs: 300 } });
    front.react(async ({ method, path }) => {
      const [, id] = /\/(ferry-probe-[0-9a-f]+)\/\.file$/.exec(path) ?? [];
      if (method !== 'MOVE' || id === undefined) return undefined;
      await rename(join(server.uploads, id, '00001'), join(server.folder, `.${id}`));
      return { status: 201 };
    });
  };
  const send = async (count = PLAN.count, file = FILE) => {
    const upload = await destination.begin(file, PLAN, NEVER);
    for (let number = 0; number < count; number++) {
      const range = partRange(PLAN, number);
      const bytes = BYTES.subarray(range.offset, range.offset + range.length);
      await upload.writePart({ ...range, bytes }, NEVER);
    }
    return upload;
  };
  const resume = (checkpoint: unknown) =>
    destination.resume(FILE, PLAN, JSON.parse(JSON.stringify(checkpoint)), NEVER);
  const moves = () => front.seen.filter(({ method, path }) => method === 'MOVE' && isOf(path));
  const isOf = (path: string) => path.includes(`/ferry-${FILE.transferId}`);

  it('putting together takes longer than a proxy waits: it is waited for', async () => {
    await restartSlow(1500);
    const upload = await send();
    expect(await upload.finish(digestOf(BYTES), NEVER)).toMatchObject({ size: BYTES.length });
    expect(moves()).toHaveLength(1);
    expect(await readFile(join(server.folder, FILE.path))).toEqual(BYTES);
  });

  it('putting together takes longer than Ferry waits: a later invocation finds it', async () => {
    await restartSlow(14_000);
    const upload = await send();
    const checkpoint = await upload.checkpoint();
    const error = await failure(upload.finish(digestOf(BYTES), NEVER));
    expect(error).toMatchObject({ code: 'server-error', retry: 'later', scope: 'archive' });
    const resumed = await resume(checkpoint);
    expect(resumed.held).toBe(PLAN.count);
    expect(await resumed.finish(digestOf(BYTES), NEVER)).toMatchObject({ size: BYTES.length });
    expect(moves().at(-1)?.answer?.status).toBe(423);
    expect(await readFile(join(server.folder, FILE.path))).toEqual(BYTES);
  });

  it('the answer is lost: the file is known by the time that it was given', async () => {
    const upload = await send();
    const checkpoint = await upload.checkpoint();
    front.react(({ method }) => (method === 'MOVE' ? 'lose-answer' : undefined));
    expect(await upload.finish(digestOf(BYTES), NEVER)).toMatchObject({ size: BYTES.length });
    expect(moves()).toHaveLength(1);
    const given = Number(moves()[0]?.headers['x-oc-mtime']);
    expect((await stat(join(server.folder, FILE.path))).mtimeMs).toBe(given * 1000);
    expect((await resume(checkpoint)).held).toBe(PLAN.count);
  });

  it.each(['v1', 'v2'] as const)(
    'what is not finished within a day is lost, and begun anew (%s)',
    async (version) => {
      await restart({ version, listsParts: false });
      const upload = await send(2);
      const checkpoint = await upload.checkpoint();
      await server.expire();
      const goingOn = async () => {
        const resumed = await resume(checkpoint);
        const range = partRange(PLAN, 2);
        const bytes = BYTES.subarray(range.offset);
        await resumed.writePart({ ...range, bytes }, NEVER);
      };
      expect(await failure(goingOn())).toMatchObject({ code: 'upload-lost', retry: 'now' });
      await (await send()).finish(digestOf(BYTES), NEVER);
      expect(await readFile(join(server.folder, FILE.path))).toEqual(BYTES);
      expect(await readdir(server.uploads)).toEqual([]);
    },
  );

  it.each(['v1', 'v2'] as const)(
    'it is lost also when only its name is missing (%s)',
    async (v) => {
      await restart({ version: v, listsParts: false });
      const upload = await send();
      await server.expire();
      expect(await failure(upload.finish(digestOf(BYTES), NEVER))).toMatchObject({
        code: 'upload-lost',
        retry: 'now',
      });
      expect(await destination.stat(FILE.path, NEVER)).toBeUndefined();
    },
  );

  it('a file of that size that somebody else put there is not taken for ours', async () => {
    const upload = await send();
    const checkpoint = await upload.checkpoint();
    await server.expire();
    await writeFile(join(server.folder, FILE.path), sampleBytes(BYTES.length, 'another'));
    await utimes(join(server.folder, FILE.path), 1, 1);
    expect(await failure(resume(checkpoint))).toMatchObject({ code: 'upload-lost' });
    expect(await failure(upload.finish(digestOf(BYTES), NEVER))).toMatchObject({
      code: 'upload-lost',
    });
  });

  it('a folder that somebody removes meanwhile is made again', async () => {
    const upload = await send();
    await rm(join(server.folder, 'html'), { recursive: true });
    await upload.finish(digestOf(BYTES), NEVER);
    expect(await readFile(join(server.folder, FILE.path))).toEqual(BYTES);
  });

  it('chunks say how large the whole will be and where it goes, with names that sort', async () => {
    await (await send()).finish(digestOf(BYTES), NEVER);
    const chunks = front.seen.filter(({ method, path }) => method === 'PUT' && isOf(path));
    expect(chunks.map(({ path }) => path.split('/').at(-1))).toEqual(['00001', '00002', '00003']);
    for (const { headers } of chunks) {
      expect(headers['oc-total-length']).toBe(String(BYTES.length));
      expect(headers.destination).toMatch(/\/remote\.php\/dav\/files\/ferry\/html\/a%23b\.tar$/);
    }
  });

  it('the older form of address works, although the login is not the id of the user', async () => {
    const url = `${front.endpoint}/remote.php/webdav`;
    const older = await openWith({ ...settingsOf(server, url), WEBDAV_PATH: 'of us' });
    expect(await older.capabilities(NEVER)).toMatchObject({ writes: 'any-order' });
    const upload = await older.begin(FILE, PLAN, NEVER);
    for (const number of [2, 0, 1]) {
      const range = partRange(PLAN, number);
      const bytes = BYTES.subarray(range.offset, range.offset + range.length);
      await upload.writePart({ ...range, bytes }, NEVER);
    }
    await upload.finish(digestOf(BYTES), NEVER);
    expect(await readFile(join(server.folder, 'of us', FILE.path))).toEqual(BYTES);
    await older.close();
  });

  it('a name that the server forbids is told before anything is sent', async () => {
    const file = { ...FILE, path: 'html/backup.part' };
    const error = await failure(destination.begin(file, PLAN, NEVER));
    expect(error).toMatchObject({ code: 'name-refused', retry: 'never', scope: 'archive' });
  });

  it('without its chunks it takes whole files', async () => {
    front.react(({ path }) => (path.includes('/uploads/') ? { status: 404 } : undefined));
    expect(await destination.capabilities(NEVER)).toMatchObject({ writes: 'whole' });
    await (await send()).finish(digestOf(BYTES), NEVER);
    expect(await readFile(join(server.folder, FILE.path))).toEqual(BYTES);
  });

  it('that takes no chunks any more is tried out anew', async () => {
    await destination.capabilities(NEVER);
    front.react(({ path }) => (path.includes('/uploads/') ? { status: 405 } : undefined));
    expect(await failure(send())).toMatchObject({ code: 'upload-lost', retry: 'now' });
    await (await send()).finish(digestOf(BYTES), NEVER);
    expect(await destination.capabilities(NEVER)).toMatchObject({ writes: 'whole' });
  });

  it('a chunk that is too large for a proxy is told with what to raise', async () => {
    const upload = await destination.begin(FILE, PLAN, NEVER);
    front.react(({ bytes }) => (bytes > MiB ? { status: 413 } : undefined));
    const range = partRange(PLAN, 0);
    const bytes = BYTES.subarray(0, range.length);
    expect(await failure(upload.writePart({ ...range, bytes }, NEVER))).toMatchObject({
      code: 'too-large',
      retry: 'never',
    });
    await upload.abort();
    expect(await readdir(server.uploads)).toEqual([]);
  });

  it('the connection test tells of chunks and leaves none', async () => {
    const steps = [];
    for await (const step of destination.check(NEVER)) steps.push(step);
    const way = steps.find(({ step }) => step === 'way of sending');
    expect(way?.detail).toMatch(/chunks.*within a day/);
    expect(await readdir(server.uploads)).toEqual([]);
    expect(await readdir(server.folder)).toEqual([]);
  });
});
