import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MiB, partRange } from '../../functions/core/parts.ts';
import { NEVER } from '../../functions/core/stopping.ts';
import type { Destination, RemoteFile, Upload } from '../../functions/destinations/contract.ts';
import { startApache } from '../servers/apache.ts';
import { startFaultProxy } from '../servers/fault-proxy.ts';
import { type Front, type Seen, startFront } from '../servers/http-front.ts';
import { startSabre } from '../servers/sabredav.ts';
import type { WebDavServer } from '../servers/webdav-server.ts';
import { failure } from './failure.ts';
import { digestOf } from './sample.ts';
import { BYTES, FILE, PLAN } from './webdav-delivery.ts';
import { openWith, rememberingSurroundings, settingsOf, through } from './webdav-subject.ts';

/** Hands over parts from one up to another, all of them promised, in memory that is written over when free. */
function handOver(upload: Upload, from: number, to: number, promisedTo = to, signal = NEVER) {
  const arrivals: Promise<void>[] = [];
  const handed = (async () => {
    for (let number = from; number < to; number++) {
      const range = partRange(PLAN, number);
      const bytes = Buffer.from(BYTES.subarray(range.offset, range.offset + range.length));
      const { promise: released, resolve } = Promise.withResolvers<void>();
      const release = () => {
        bytes.fill(0xee);
        resolve();
      };
      const following = promisedTo - 1 - number;
      const arrival = upload.writePart({ ...range, bytes }, signal, { following, release });
      arrival.catch(() => {});
      arrivals.push(arrival);
      await Promise.race([released, arrival]);
    }
  })();
  const arrived = handed.then(() => Promise.all(arrivals));
  arrived.catch(() => {});
  return { handed, arrived, arrivals };
}

describe.each([
  ['Apache, with PUT', startApache],
  ['SabreDAV, with PATCH', startSabre],
])('parts in one request, on %s', (_, start) => {
  let server: WebDavServer;
  let front: Front;
  let file: RemoteFile;
  let destination: Destination;

  beforeAll(async () => {
    server = await start();
    front = await startFront(new URL(server.url).origin);
  });
  beforeEach(async () => {
    front.react(() => undefined);
    const transferId = randomBytes(8).toString('hex');
    file = { ...FILE, path: `html/${transferId}.tar`, transferId };
    const surroundings = rememberingSurroundings();
    destination = await openWith(settingsOf(server, through(front, server)), surroundings);
    await destination.capabilities(NEVER);
    return () => destination.close();
  });
  afterAll(async () => {
    await front.stop();
    await server.stop();
  });

  const isPiece = ({ method, headers }: Seen) =>
    method === 'PATCH' || (method === 'PUT' && 'content-range' in headers);
  const stored = async () => digestOf(await readFile(join(server.folder, file.path)));

  it('go as they come, and are looked at once', async () => {
    const upload = await destination.begin(file, PLAN, NEVER);
    const before = front.seen.length;
    await handOver(upload, 0, PLAN.count).arrived;
    const asked = front.seen.slice(before);
    expect(
      asked.map(({ method, bytes }) => [method === 'PROPFIND', bytes > 1000 && bytes]),
    ).toEqual([
      [false, MiB],
      [true, false],
      [false, 2 * MiB + 777],
      [true, false],
      // At the end what the final name shows, too.
      [true, false],
    ]);
    await upload.finish(digestOf(BYTES), NEVER);
    expect(await stored()).toEqual(digestOf(BYTES));
  });

  it('count when the server has all of them, and not before', async () => {
    const upload = await destination.begin(file, PLAN, NEVER);
    const stopping = new AbortController();
    const { handed, arrivals } = handOver(upload, 0, 3, PLAN.count, stopping.signal);
    await handed;
    await arrivals[0];
    const checkpoint = await upload.checkpoint();
    expect(checkpoint).toMatchObject({ parts: 1 });
    stopping.abort(new Error('stopped'));
    for (const arrival of arrivals.slice(1)) {
      expect(await failure(arrival)).toMatchObject({ code: 'aborted' });
    }
    const other = await openWith(settingsOf(server, through(front, server)));
    const resumed = await other.resume(file, PLAN, checkpoint ?? null, NEVER);
    expect(resumed.held).toBe(1);
    await handOver(resumed, 1, PLAN.count).arrived;
    await resumed.finish(digestOf(BYTES), NEVER);
    expect(await stored()).toEqual(digestOf(BYTES));
    await other.close();
  });

  it.each([400, 403, 413, 500, 502])(
    'answered %i, are followed by fewer at once',
    async (status) => {
      const upload = await destination.begin(file, PLAN, NEVER);
      front.react((seen) => (isPiece(seen) && seen.bytes > MiB ? { status } : undefined));
      const { arrived, arrivals } = handOver(upload, 0, PLAN.count);
      expect(await failure(arrived)).toMatchObject({ code: 'short-write', retry: 'now' });
      for (const arrival of arrivals.slice(1)) {
        expect(await failure(arrival)).toMatchObject({ code: 'short-write', retry: 'now' });
      }
      const checkpoint = await upload.checkpoint();
      const resumed = await destination.resume(file, PLAN, checkpoint ?? null, NEVER);
      await handOver(resumed, resumed.held, PLAN.count).arrived;
      await resumed.finish(digestOf(BYTES), NEVER);
      expect(await stored()).toEqual(digestOf(BYTES));
    },
  );

  it.each([
    [429, { code: 'throttled', retry: 'later' }],
    [507, { code: 'no-space', retry: 'never' }],
  ])('answered %i, are no matter of size', async (status, expected) => {
    const upload = await destination.begin(file, PLAN, NEVER);
    front.react((seen) => (isPiece(seen) ? { status } : undefined));
    expect(await failure(handOver(upload, 0, PLAN.count).arrived)).toMatchObject(expected);
    await upload.abort();
  });

  it('that are acknowledged and not stored leave no hole', async () => {
    const upload = await destination.begin(file, PLAN, NEVER);
    front.react((seen) => (isPiece(seen) ? { status: 204 } : undefined));
    expect(await failure(handOver(upload, 0, PLAN.count).arrived)).toMatchObject({
      code: 'upload-lost',
    });
    expect(await upload.checkpoint()).toMatchObject({ parts: 1 });
    await upload.abort();
  });

  it('whose connection breaks under way are sent again, from where the server has them for certain', async () => {
    const { hostname: host, port } = new URL(server.url);
    const proxy = await startFaultProxy({ to: { host, port: Number(port) } });
    const own = await openWith(
      settingsOf(server, through({ endpoint: `http://${proxy.host}:${proxy.port}` }, server)),
    );
    const upload = await own.begin(file, PLAN, NEVER);
    await handOver(upload, 0, 1).arrived;
    proxy.set({ bytesPerSecond: MiB });
    const { arrived } = handOver(upload, 1, PLAN.count);
    const broken = failure(arrived);
    await wait(500);
    proxy.cut();
    expect(await broken).toMatchObject({ code: 'unreachable', retry: 'now' });
    proxy.set({});
    const resumed = await own.resume(file, PLAN, (await upload.checkpoint()) ?? null, NEVER);
    expect(resumed.held).toBe(1);
    await handOver(resumed, 1, PLAN.count).arrived;
    await resumed.finish(digestOf(BYTES), NEVER);
    expect(await stored()).toEqual(digestOf(BYTES));
    await own.close();
    await proxy.stop();
  });

  it('are broken off when the upload is called off, which leaves nothing behind', async () => {
    const upload = await destination.begin(file, PLAN, NEVER);
    await handOver(upload, 0, 3, PLAN.count).handed;
    await upload.abort();
    expect(await readdir(join(server.folder, 'html'))).not.toContainEqual(
      expect.stringContaining(file.transferId),
    );
  });
});
