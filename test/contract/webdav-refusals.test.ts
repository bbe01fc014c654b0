import { readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { NEVER } from '../../functions/core/stopping.ts';
import type { Destination } from '../../functions/destinations/contract.ts';
import { startApache } from '../servers/apache.ts';
import { type Front, startFront } from '../servers/http-front.ts';
import { startNginx } from '../servers/nginx-dav.ts';
import type { WebDavServer } from '../servers/webdav-server.ts';
import { failure } from './failure.ts';
import { digestOf } from './sample.ts';
import { BYTES, deliverSample, FILE, sendSample } from './webdav-delivery.ts';
import { openWith, rememberingSurroundings, settingsOf, through } from './webdav-subject.ts';

let server: WebDavServer;
let front: Front;
let destination: Destination;

async function open(start: () => Promise<WebDavServer>): Promise<void> {
  server = await start();
  front = await startFront(new URL(server.url).origin);
  destination = await openWith(settingsOf(server, through(front, server)));
}
afterEach(async () => {
  await destination.close();
  await front.stop();
  await server.stop();
});

/** IIS answers 404.13 to a body above maxAllowedContentLength. */
describe.each([404, 409])('a server that answers %i to what is too large', (status) => {
  const TOO_LARGE = { code: 'too-large', retry: 'never', scope: 'archive' };
  const refuseLarge = () =>
    front.react(({ method, bytes }) =>
      method === 'PUT' && bytes > 300_000 ? { status } : undefined,
    );

  it('says what to raise where it takes whole files', async () => {
    await open(() => startNginx());
    refuseLarge();
    const error = await failure(sendSample(destination));
    expect(error).toMatchObject(TOO_LARGE);
    expect(error.message).toContain('maxAllowedContentLength (IIS)');
  });

  it('says so of a file of one part', async () => {
    await open(() => startNginx());
    refuseLarge();
    const size = 400_000;
    const plan = { size, partSize: size, count: 1 };
    const upload = await destination.begin({ ...FILE, size }, plan, NEVER);
    const bytes = BYTES.subarray(0, size);
    const writing = upload.writePart({ number: 0, offset: 0, length: size, bytes }, NEVER);
    expect(await failure(writing)).toMatchObject(TOO_LARGE);
  });

  it('gets pieces that fit where it takes them', async () => {
    await open(() => startApache());
    refuseLarge();
    await deliverSample(destination);
    expect(await readFile(join(server.folder, FILE.path))).toEqual(BYTES);
  });
});

it('a folder that is removed while a file is sent whole is no matter of its size', async () => {
  await open(() => startNginx());
  await destination.capabilities(NEVER);
  front.react(async ({ method }) => {
    if (method !== 'PUT') return undefined;
    await rm(join(server.folder, 'html'), { recursive: true });
    return { status: 409 };
  });
  expect(await failure(sendSample(destination))).toMatchObject({
    code: 'upload-lost',
    retry: 'now',
  });
});

describe('a server that does not rename', () => {
  const REFUSED = { code: 'permission-denied', retry: 'never', scope: 'destination' };

  const assertTold = async () => {
    const error = await failure(sendSample(destination));
    expect(error).toMatchObject(REFUSED);
    expect(error.message).toMatch(/MOVE.*dav_methods/);
    const steps = [];
    for await (const step of destination.check(NEVER)) steps.push(step);
    expect(steps.at(-1)?.error).toMatchObject(REFUSED);
    expect(await readdir(server.folder)).toEqual([]);
  };

  it('is told of before anything is sent, as nginx without MOVE', async () => {
    await open(() => startNginx({ moves: false }));
    await assertTold();
    expect(front.seen.some(({ bytes }) => bytes > 1000)).toBe(false);
  });

  it.each([404, 405, 409, 412, 501])('is told by %i', async (status) => {
    await open(() => startApache());
    front.react(({ method }) => (method === 'MOVE' ? { status } : undefined));
    await assertTold();
  });

  it.each([405, 409, 412, 501])('is told by %i also where it did before', async (status) => {
    await open(() => startApache());
    const known = rememberingSurroundings();
    const own = await openWith(settingsOf(server, through(front, server)), known);
    const upload = await sendSample(own);
    front.react(({ method }) => (method === 'MOVE' ? { status } : undefined));
    expect(await failure(upload.finish(digestOf(BYTES), NEVER))).toMatchObject(REFUSED);
    front.react(() => undefined);
    await upload.finish(digestOf(BYTES), NEVER);
    expect(await readFile(join(server.folder, FILE.path))).toEqual(BYTES);
    await own.close();
  });

  it('is not one that knows itself by its path alone', async () => {
    await open(() => startApache());
    const onDisk = (path: string) =>
      join(server.folder, decodeURIComponent(path).slice('/dav'.length));
    front.react(async ({ method, path, headers }) => {
      const to = String(headers.destination);
      if (method !== 'MOVE') return undefined;
      if (to.startsWith('http')) return { status: 502 };
      await rename(onDisk(path), onDisk(to));
      return { status: 201 };
    });
    await deliverSample(destination);
    expect(await readFile(join(server.folder, FILE.path))).toEqual(BYTES);
  });
});
