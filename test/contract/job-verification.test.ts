import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FerryError } from '../../functions/core/errors.ts';
import { MiB } from '../../functions/core/parts.ts';
import { type EmbeddedDynamoDb, startDynamoDb } from '../servers/embedded-dynamodb.ts';
import { openWorld, PART, type World } from './job-world.ts';
import { digestOf, sampleBytes } from './sample.ts';

let dynamo: EmbeddedDynamoDb;
beforeAll(async () => {
  dynamo = await startDynamoDb();
});
afterAll(() => dynamo.stop());

const SITE = 'html/site.tar';
const drain = async (world: World) => {
  let hops = 0;
  for (; world.queue.length > 0; hops++) await world.deliverMessage();
  return hops;
};
const checkpoints = async (world: World) =>
  (await dynamo.itemsOf(world.userId)).filter((sk) => sk.startsWith('CHECKPOINT'));

/** Counts what is read of the destination, and lets each read take time. */
function watchReads(world: World, msPerRange = 0) {
  const seen = { bytes: 0, ranges: 0 };
  world.server.onRead = async (bytes) => {
    seen.bytes += bytes.length;
    seen.ranges += 1;
    world.passTime(msPerRange);
    return bytes;
  };
  return seen;
}

describe('verify', () => {
  it.each([
    ['size', 'size', 'size', false],
    ['size', 'checksum', 'checksum', false],
    ['checksum', 'checksum', 'checksum', false],
    ['checksum', 'size', 'readback', true],
    ['readback', 'checksum', 'readback', true],
  ] as const)(
    '%s, at a destination that tells the %s: %s is on the receipt',
    async (verify, proof, verified, isRead) => {
      const world = await openWorld(dynamo);
      Object.assign(world, { verify, capabilities: { proof } });
      const seen = watchReads(world);
      await drain(world);
      expect(await world.runs.job(world.job)).toMatchObject({ state: 'succeeded', archives: 2 });
      const receipts = await world.receipts();
      expect(receipts.map((receipt) => receipt.proof.verified)).toEqual([verified, verified]);
      const size = [...world.staged.values()].reduce((sum, { length }) => sum + length, 0);
      expect(seen.bytes).toBe(isRead ? size : 0);
      expect(await checkpoints(world)).toEqual([]);
    },
  );

  it('reading back goes on in the next invocation where it stopped', async () => {
    const world = await openWorld(dynamo);
    const large = sampleBytes(60 * MiB, 'large');
    world.staged.clear();
    world.staged.set(`${world.userId}/${SITE}`, large);
    world.verify = 'readback';
    world.capabilities = {
      part: { min: 1, max: MiB, preferred: MiB, multiple: 1, most: 10_000 },
    };
    // Only reading takes time.
    world.server.before = async () => {};
    const seen = watchReads(world, 6_000);
    const hops = await drain(world);
    expect(hops).toBeGreaterThan(1);
    expect(seen.bytes).toBe(large.length);
    expect(await world.runs.job(world.job)).toMatchObject({ state: 'succeeded' });
    expect(await checkpoints(world)).toEqual([]);
  });

  const filesOf = (world: World) =>
    [...world.staged].map(([key, bytes]) => {
      const found = world.server.files.get(key.slice(world.userId.length + 1)) ?? Buffer.alloc(0);
      return [digestOf(found), digestOf(bytes)];
    });
  const countWrites = (world: World) => {
    const seen = { writes: 0 };
    const { before: go } = world.server;
    world.server.before = async (step, part) => {
      if (step === 'write') seen.writes += 1;
      await go(step, part);
    };
    return seen;
  };

  it('a flipped bit is found: what is damaged is taken away and sent anew', async () => {
    const world = await openWorld(dynamo);
    world.verify = 'readback';
    let left = 1;
    world.server.onRead = async (bytes) => {
      const flipped = Buffer.from(bytes);
      if (left-- > 0) flipped.writeUInt8(flipped.readUInt8(0) ^ 1, 0);
      return flipped;
    };
    await drain(world);
    expect(await world.runs.job(world.job)).toMatchObject({ state: 'succeeded', archives: 2 });
    for (const [found, staged] of filesOf(world)) expect(found).toEqual(staged);
  });

  it('a connection that ends early costs no file: it is read again, and nothing is sent', async () => {
    const world = await openWorld(dynamo);
    world.verify = 'readback';
    const seen = countWrites(world);
    let left = 2;
    world.server.onRead = async (bytes) => (left-- > 0 ? bytes.subarray(1) : bytes);
    await drain(world);
    expect(await world.runs.job(world.job)).toMatchObject({ state: 'succeeded', archives: 2 });
    expect(seen.writes).toBe(13 + 1);
  });

  it('what somebody else has put there since is not removed, and the archive is sent anew', async () => {
    const world = await openWorld(dynamo);
    world.verify = 'readback';
    let left = 1;
    world.server.onRead = async (bytes) => {
      if (left-- > 0) {
        world.server.files.set(SITE, Buffer.from('theirs'));
        throw new FerryError('unreachable', 'Cut.', { retry: 'now' });
      }
      return bytes;
    };
    await drain(world);
    for (const [found, staged] of filesOf(world)) expect(found).toEqual(staged);
  });

  it('a password that is wrong while it is read back costs no second sending', async () => {
    const world = await openWorld(dynamo);
    world.verify = 'readback';
    const wrong = new FerryError('auth-refused', 'Wrong.', { retry: 'never' });
    world.server.onRead = async () => Promise.reject(wrong);
    await drain(world);
    expect(world.reports).toMatchObject([{ outcome: 'failed', code: 'auth-refused' }]);
    const sent: string[] = [];
    world.server.onRead = async (bytes) => bytes;
    world.server.before = async (step) => void sent.push(step);
    world.staged.delete(`${world.userId}/mysql/db.sql`);
    world.queue.push({ ...world.job, slot: '2026-11-23T03:00:00.000Z' });
    await drain(world);
    expect(world.reports.at(-1)).toMatchObject({ outcome: 'succeeded' });
    expect(sent).not.toContain('write');
    expect(await checkpoints(world)).toEqual([]);
  });

  it('what is always damaged is never called delivered, and is not left lying there', async () => {
    const world = await openWorld(dynamo);
    world.verify = 'readback';
    world.server.onRead = async (bytes) => Buffer.alloc(bytes.length);
    await drain(world);
    expect(world.reports).toMatchObject([{ outcome: 'failed', code: 'corrupted' }]);
    expect(await world.receipts()).toEqual([]);
    expect(world.server.files.size).toBe(0);
    expect(world.server.unfinished.size).toBe(0);
  });

  it('a worker that dies while it reads back costs neither a second delivery nor the proof', async () => {
    for (let atStep = 1, isOver = false; !isOver; atStep++) {
      const world = await openWorld(dynamo);
      world.verify = 'readback';
      world.staged.clear();
      world.staged.set(`${world.userId}/${SITE}`, sampleBytes(2 * PART, 'short'));
      const { result } = await world.deliverMessage({
        death: { atStep, when: 'after the effect' },
      });
      isOver = result !== 'died';
      await drain(world);
      expect((await world.receipts()).map(({ proof }) => proof.verified)).toEqual(['readback']);
      expect(await checkpoints(world)).toEqual([]);
      expect(await world.runs.job(world.job)).toMatchObject({ state: 'succeeded', archives: 1 });
    }
  });
});
