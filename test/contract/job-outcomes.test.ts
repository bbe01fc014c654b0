import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Checkpoint } from '../../functions/core/checkpoint.ts';
import { FerryError } from '../../functions/core/errors.ts';
import { jobId } from '../../functions/core/job.ts';
import { type EmbeddedDynamoDb, startDynamoDb } from '../servers/embedded-dynamodb.ts';
import {
  drain,
  failAt,
  INVOCATION_MS,
  MAX_RECEIVE_COUNT,
  openWorld,
  PART,
  type World,
} from './job-world.ts';
import { digestOf, sampleBytes } from './sample.ts';

let dynamo: EmbeddedDynamoDb;
beforeAll(async () => {
  dynamo = await startDynamoDb();
});
afterAll(() => dynamo.stop());

const delivered = (world: World, path: string) => {
  const bytes = world.server.files.get(path);
  return bytes && digestOf(bytes);
};
const staged = (world: World, path: string) =>
  digestOf(world.staged.get(`${world.userId}/${path}`) ?? Buffer.alloc(0));

describe('permanent trouble', () => {
  it('with the destination ends the job at once, and the user reads why', async () => {
    const world = await openWorld(dynamo);
    const refused = new FerryError('auth-refused', 'The password is wrong.', { retry: 'never' });
    failAt(world, 'begin', refused);
    expect(await world.deliverMessage()).toMatchObject({ result: { outcome: 'failed' } });
    expect(await world.runs.job(world.job)).toMatchObject({
      state: 'failed',
      archives: 0,
      errors: [{ code: 'auth-refused', message: 'The password is wrong.' }],
    });
    expect(world.reports).toMatchObject([{ outcome: 'failed', message: 'The password is wrong.' }]);
  });

  it('with one archive keeps no other back', async () => {
    const world = await openWorld(dynamo);
    failAt(
      world,
      'begin',
      new FerryError('name-refused', 'The name is too long.', { retry: 'never', scope: 'archive' }),
      1,
    );
    expect(await world.deliverMessage()).toMatchObject({ result: { outcome: 'failed' } });
    expect(delivered(world, 'mysql/db.sql')).toEqual(staged(world, 'mysql/db.sql'));
    expect(await world.runs.job(world.job)).toMatchObject({
      archives: 1,
      errors: [{ code: 'name-refused', archive: `${world.userId}/html/site.tar` }],
    });
  });

  it('with one archive is not met again in later hops of the job', async () => {
    const world = await openWorld(dynamo);
    const bad = sampleBytes(2 * PART, 'bad');
    world.staged.clear();
    world.staged.set(`${world.userId}/a/bad.tar`, bad);
    world.staged.set(`${world.userId}/html/site.tar`, sampleBytes(40 * PART, 'long'));
    let badReads = 0;
    world.read = (bytes) => {
      if (bytes !== bad) return bytes;
      badReads += 1;
      return Buffer.alloc(bad.length);
    };
    await drain(world);
    expect(await world.runs.job(world.job)).toMatchObject({
      state: 'failed',
      archives: 1,
      errors: [{ code: 'corrupted', archive: `${world.userId}/a/bad.tar` }],
    });
    // Once and three times anew, two parts each.
    expect(badReads).toBe(8);
  });

  it('is told once: a duplicate of the message is dropped', async () => {
    const world = await openWorld(dynamo);
    failAt(world, 'begin', new FerryError('auth-refused', 'Wrong.', { retry: 'never' }));
    await world.deliverMessage();
    world.queue.push(world.job);
    expect(await world.deliverMessage()).toMatchObject({ result: { outcome: 'duplicate' } });
    expect(world.reports).toHaveLength(1);
  });

  it('takes back what was sent so far', async () => {
    const world = await openWorld(dynamo);
    failAt(world, 'write', new FerryError('no-space', 'Full.', { retry: 'never' }), 1, 4);
    await world.deliverMessage();
    expect(world.server.unfinished.size).toBe(0);
    expect(await dynamo.itemsOf(world.userId)).not.toContainEqual(
      expect.stringMatching(/^CHECKPOINT/),
    );
  });

  it('met before what an earlier hop sent can be reached leaves that to the next run', async () => {
    const world = await openWorld(dynamo);
    expect(await world.deliverMessage()).toMatchObject({ result: { outcome: 'continued' } });
    failAt(world, 'resume', new FerryError('auth-refused', 'Wrong.', { retry: 'never' }), 1);
    expect(await world.deliverMessage()).toMatchObject({ result: { outcome: 'failed' } });
    expect(world.server.unfinished.size).toBe(1);
    const sent: number[] = [];
    const { before: go } = world.server;
    world.server.before = async (step, part) => {
      if (step === 'write' && part) sent.push(part.offset);
      await go(step, part);
    };
    world.queue.push({ ...world.job, slot: '2026-11-23T03:00:00.000Z' });
    await drain(world);
    // Of thirteen parts and one.
    expect(sent.length).toBeLessThan(10);
    expect(delivered(world, 'html/site.tar')).toEqual(staged(world, 'html/site.tar'));
    expect(world.server.unfinished.size).toBe(0);
  });

  it('met before what was sent of an older content can be reached leaves that to the next run', async () => {
    const world = await openWorld(dynamo);
    await world.deliverMessage();
    world.staged.set(`${world.userId}/html/site.tar`, sampleBytes(3 * PART, 'replaced'));
    failAt(world, 'resume', new FerryError('auth-refused', 'Wrong.', { retry: 'never' }), 1);
    expect(await world.deliverMessage()).toMatchObject({ result: { outcome: 'failed' } });
    expect(world.server.unfinished.size).toBe(1);
    world.queue.push({ ...world.job, slot: '2026-11-23T03:00:00.000Z' });
    await drain(world);
    expect(delivered(world, 'html/site.tar')).toEqual(staged(world, 'html/site.tar'));
    expect(world.server.unfinished.size).toBe(0);
  });

  it('with what a setting refers to ends the job at once, and the user reads why', async () => {
    const world = await openWorld(dynamo);
    const { settings } = world;
    const message = 'SSH_KEY_FILE names a file that is not there.';
    const missing = new FerryError('setting-invalid', message, { retry: 'never' });
    world.settings = {
      ...settings,
      async read(job, standing) {
        const found = await settings.read(job, standing);
        if (!found?.ok) return found;
        return { ok: true, value: { ...found.value, open: () => Promise.reject(missing) } };
      },
    };
    expect(await world.deliverMessage()).toMatchObject({ result: { outcome: 'failed' } });
    expect(world.reports).toMatchObject([{ outcome: 'failed', code: 'setting-invalid', message }]);
  });

  it('in the settings fails the job in words that name the setting', async () => {
    const world = await openWorld(dynamo);
    const problem = { path: 'SSH_PORT', problem: 'This is no port.', remedy: 'Give 1 to 65535.' };
    world.settings = { ...world.settings, read: async () => ({ ok: false, problems: [problem] }) };
    expect(await world.deliverMessage()).toMatchObject({ result: { outcome: 'failed' } });
    expect(world.reports).toMatchObject([
      { code: 'setting-invalid', message: 'SSH_PORT: This is no port. Give 1 to 65535.' },
    ]);
  });
});

describe('passing trouble', () => {
  const down = new FerryError('unreachable', 'Nobody answers.', { retry: 'later' });

  it('gives the message back, waiting longer each time', async () => {
    const world = await openWorld(dynamo);
    failAt(world, 'begin', down);
    const delays: number[] = [];
    for (let receiveCount = 1; receiveCount < MAX_RECEIVE_COUNT; receiveCount++) {
      const { result } = await world.deliverMessage({ receiveCount });
      if (result === 'died' || result.outcome !== 'retrying') throw new Error('not given back');
      delays.push(result.delayMs / 1000);
    }
    const full = [30, 90, 270, 810, 2430, 3600, 3600];
    for (const [index, seconds] of full.entries()) {
      expect(delays[index]).toBeGreaterThanOrEqual(seconds / 2);
      expect(delays[index]).toBeLessThanOrEqual(seconds);
    }
    expect(await world.runs.job(world.job)).toMatchObject({
      state: 'running',
      errors: [{ code: 'unreachable' }],
    });
  });

  it('is a failure on the last delivery, and the message goes to the dead-letter queue', async () => {
    const world = await openWorld(dynamo);
    failAt(world, 'begin', down);
    const { result } = await world.deliverMessage({ receiveCount: MAX_RECEIVE_COUNT });
    expect(result).toEqual({ outcome: 'gave up' });
    expect(await world.runs.job(world.job)).toMatchObject({ state: 'failed' });
    expect(world.reports).toMatchObject([{ outcome: 'failed', message: 'Nobody answers.' }]);
  });

  it('met after something was moved uses up no delivery: the next hop goes on', async () => {
    const world = await openWorld(dynamo);
    const { before: go } = world.server;
    let writes = 0;
    world.server.before = async (step, part) => {
      writes += step === 'write' ? 1 : 0;
      if (writes % 6 === 5) {
        writes += 1;
        throw new FerryError('throttled', 'Slow down.', { retry: 'later' });
      }
      await go(step, part);
    };
    while (world.queue.length > 0) {
      const { result } = await world.deliverMessage({ receiveCount: MAX_RECEIVE_COUNT });
      expect(result).not.toMatchObject({ outcome: 'gave up' });
    }
    expect(await world.runs.job(world.job)).toMatchObject({ state: 'succeeded', archives: 2 });
  });

  it('of our own is told to the user, too, when it lasts to the last delivery', async () => {
    const world = await openWorld(dynamo);
    world.settings = { ...world.settings, read: () => Promise.reject(new Error('no answer')) };
    const { result } = await world.deliverMessage({ receiveCount: MAX_RECEIVE_COUNT });
    expect(result).toEqual({ outcome: 'gave up' });
    expect(world.reports).toMatchObject([{ outcome: 'failed', code: 'internal' }]);
  });

  it('leaves a job that runs again when its dead letter is redriven', async () => {
    const world = await openWorld(dynamo);
    failAt(world, 'begin', down, 1);
    await world.deliverMessage({ receiveCount: MAX_RECEIVE_COUNT });
    world.queue.push(world.job);
    await drain(world);
    expect(await world.runs.job(world.job)).toMatchObject({ state: 'succeeded', archives: 2 });
  });

  it('waits at least as long as the server asked for', async () => {
    const world = await openWorld(dynamo);
    const busy = { retry: 'later', retryAfterMs: 1_234_000 } as const;
    failAt(world, 'begin', new FerryError('throttled', 'Busy.', busy));
    const { result } = await world.deliverMessage();
    expect(result).toEqual({ outcome: 'retrying', delayMs: 1_234_000 });
  });

  it('of a broken connection is mended within the invocation, without sending parts twice', async () => {
    const world = await openWorld(dynamo);
    failAt(world, 'write', new FerryError('unreachable', 'Cut.', { retry: 'now' }), 1, 4);
    const sent: number[] = [];
    const { before: go } = world.server;
    world.server.before = async (step, part) => {
      await go(step, part);
      if (step === 'write' && part) sent.push(part.offset);
    };
    await drain(world);
    expect(delivered(world, 'html/site.tar')).toEqual(staged(world, 'html/site.tar'));
    // Thirteen parts and one; those under way with the cut one may go twice.
    expect(sent.length).toBeLessThanOrEqual(14 + 3);
  });

  it('of a broken connection goes to the queue when it does not mend', async () => {
    const world = await openWorld(dynamo);
    failAt(world, 'begin', new FerryError('unreachable', 'Cut.', { retry: 'now' }));
    const { result } = await world.deliverMessage();
    expect(result).toMatchObject({ outcome: 'retrying' });
  });
});

describe('two workers on one destination', () => {
  it('a duplicate waits for the end of the lease, then finds the job done', async () => {
    const world = await openWorld(dynamo);
    const now = Date.parse(world.job.slot);
    await world.runs.acquire(world.job, 'another worker', now + 100_000);
    expect(await world.deliverMessage()).toMatchObject({
      result: { outcome: 'retrying', delayMs: 100_000 },
    });
    await drain(world);
    world.queue.push(world.job);
    expect(await world.deliverMessage()).toMatchObject({ result: { outcome: 'duplicate' } });
    expect(world.reports).toHaveLength(1);
  });

  it('a run that finds an earlier one still under way is recorded as skipped, with the reason', async () => {
    const world = await openWorld(dynamo);
    const earlier = { ...world.job, slot: '2026-11-21T03:00:00.000Z' };
    await world.runs.acquire(earlier, 'another worker', Date.parse(world.job.slot) + 100_000);
    expect(await world.deliverMessage()).toMatchObject({ result: { outcome: 'skipped' } });
    expect(world.reports).toMatchObject([
      { outcome: 'skipped', message: expect.stringContaining('2026-11-21T03:00') },
    ]);
  });

  it('a run that finds the lease of one that has ended waits until it is over, and delivers', async () => {
    const world = await openWorld(dynamo);
    const slot = '2026-11-21T03:00:00.000Z';
    const now = Date.parse(world.job.slot);
    const earlier = { ...world.job, slot };
    await world.runs.acquire(earlier, 'a worker whose release got lost', now + 100_000);
    const counts = { archives: 0, bytes: 0, errors: [] };
    const id = `${world.userId}#${slot}#${world.job.destination}`;
    const ended = {
      v: 1,
      jobId: id,
      state: 'succeeded',
      hop: 0,
      fence: 1,
      startedAt: slot,
    } as const;
    await world.runs.saveJob(earlier, { ...ended, ...counts });
    expect(await world.deliverMessage()).toMatchObject({
      result: { outcome: 'retrying', delayMs: 100_000 },
    });
    await drain(world);
    expect(world.reports).toMatchObject([{ outcome: 'succeeded' }]);
  });

  it('a worker that wakes up after another has taken over writes nothing any more', async () => {
    const world = await openWorld(dynamo);
    const { before: go } = world.server;
    const asleep = Promise.withResolvers<void>();
    const awake = Promise.withResolvers<void>();
    let writes = 0;
    world.server.before = async (step, part) => {
      writes += step === 'write' ? 1 : 0;
      if (writes === 5) {
        writes += 1;
        asleep.resolve();
        await awake.promise;
      }
      await go(step, part);
    };
    const late = world.deliverMessage();
    await asleep.promise;
    world.passTime(INVOCATION_MS + 120_000);
    world.server.before = go;
    world.queue.push(world.job);
    await drain({ ...world, queue: world.queue });
    const done = await world.runs.job(world.job);
    expect(done).toMatchObject({ state: 'succeeded', archives: 2 });
    awake.resolve();
    world.queue.push(world.job);
    expect((await late).result).toMatchObject({ outcome: 'retrying' });
    expect(await world.runs.job(world.job)).toEqual(done);
    expect(delivered(world, 'html/site.tar')).toEqual(staged(world, 'html/site.tar'));
    await drain(world);
  });
});

describe('the next hop', () => {
  it('follows in time although the destination never answers to the last save', async () => {
    const world = await openWorld(dynamo);
    const { before: go } = world.server;
    let saves = 0;
    world.server.before = (step, part) => {
      saves += step === 'checkpoint' ? 1 : 0;
      return step === 'checkpoint' && saves > 1 ? new Promise(() => {}) : go(step, part);
    };
    const { result } = await world.deliverMessage({ invocationMs: 4_000 });
    expect(result).toEqual({ outcome: 'continued' });
    world.server.before = go;
    await drain(world);
    expect(delivered(world, 'html/site.tar')).toEqual(staged(world, 'html/site.tar'));
  });

  it.each([
    ['the last of a try that was cut', 4, 2],
    ['one on the way, for which the last was waiting', 10, 8],
  ])('is not misled by a save that goes through late: %s', async (_, parts, cutAfter) => {
    const world = await openWorld(dynamo);
    world.staged.set(`${world.userId}/html/site.tar`, sampleBytes(parts * PART, 'site'));
    failAt(world, 'write', new FerryError('unreachable', 'Cut.', { retry: 'now' }), 1, cutAfter);
    const { before: go } = world.server;
    const free = Promise.withResolvers<void>();
    let saves = 0;
    // The first is of an upload that has just begun.
    world.server.before = async (step, part) => {
      saves += step === 'checkpoint' ? 1 : 0;
      if (step === 'checkpoint' && saves === 2) await free.promise;
      await go(step, part);
    };
    const { result } = await world.deliverMessage({ invocationMs: 300_000 });
    expect(result).toEqual({ outcome: 'succeeded' });
    expect(saves).toBeGreaterThan(2);
    free.resolve();
    await setTimeout(200);
    expect((await dynamo.itemsOf(world.userId)).filter((sk) => sk.startsWith('CHECK'))).toEqual([]);
  });

  it('notes no time below zero, however far its clock is behind', async () => {
    const world = await openWorld(dynamo);
    await world.deliverMessage();
    world.passTime(-2 * INVOCATION_MS);
    await drain(world);
    expect((await world.receipts()).map(({ durationMs }) => durationMs)).toContain(0);
    const next = { ...world.job, slot: '2026-11-23T03:00:00.000Z' };
    world.queue.push(next);
    expect(await world.deliverMessage()).toMatchObject({ result: { outcome: 'skipped' } });
  });

  it('finds the lease free as soon as it is on the queue', async () => {
    const world = await openWorld(dynamo);
    let taken: unknown;
    world.onContinuation = async () => {
      taken = await world.runs.acquire(world.job, 'the next worker', Date.now());
    };
    expect(await world.deliverMessage()).toMatchObject({ result: { outcome: 'continued' } });
    expect(taken).toMatchObject({ held: true });
  });

  it('makes every message of an earlier hop a duplicate', async () => {
    const world = await openWorld(dynamo);
    await world.deliverMessage();
    expect(world.queue).toMatchObject([{ hop: 1 }]);
    await world.deliverMessage();
    world.queue.unshift(world.job);
    expect(await world.deliverMessage()).toMatchObject({ result: { outcome: 'duplicate' } });
    await drain(world);
    expect(await world.runs.job(world.job)).toMatchObject({ state: 'succeeded' });
  });
});

describe('what is staged', () => {
  it('is not sent again once this destination has it', async () => {
    const world = await openWorld(dynamo);
    await drain(world);
    const next = { ...world.job, slot: '2026-11-23T03:00:00.000Z' };
    world.server.files.clear();
    world.queue.push(next);
    expect(await world.deliverMessage()).toMatchObject({ result: { outcome: 'skipped' } });
    expect(world.server.files.size).toBe(0);
    expect(await world.runs.job(next)).toMatchObject({ reason: expect.stringMatching(/^Nothing/) });
  });

  it('and becomes again what it was before another content is delivered again', async () => {
    const world = await openWorld(dynamo);
    const key = `${world.userId}/mysql/db.sql`;
    const first = world.staged.get(key) ?? Buffer.alloc(0);
    const run = async (day: number, content: Buffer) => {
      world.staged.set(key, content);
      world.queue.push({ ...world.job, slot: `2026-11-${day}T03:00:00.000Z` });
      await drain(world);
      expect(delivered(world, 'mysql/db.sql')).toEqual(digestOf(content));
    };
    await run(23, first);
    await run(24, sampleBytes(10, 'another'));
    await run(25, first);
    expect(world.reports.at(-1)).toMatchObject({ outcome: 'succeeded' });
    await run(26, first);
    expect(world.reports.at(-1)).toMatchObject({ outcome: 'skipped' });
  });

  it('and replaced in mid-transfer is delivered as the new content, never as a mix', async () => {
    const world = await openWorld(dynamo);
    await world.deliverMessage();
    expect(world.server.unfinished.size).toBe(1);
    const key = `${world.userId}/html/site.tar`;
    world.staged.set(key, sampleBytes(3 * PART, 'replaced'));
    await drain(world);
    expect(delivered(world, 'html/site.tar')).toEqual(staged(world, 'html/site.tar'));
    expect(world.server.unfinished.size).toBe(0);
  });

  it('and does not match the checksum that was stored with it is never delivered', async () => {
    const world = await openWorld(dynamo);
    world.read = (bytes) => {
      const flipped = Buffer.from(bytes);
      flipped[bytes.length - 1] = ~(bytes.at(-1) ?? 0);
      return flipped;
    };
    let result: unknown;
    while (world.queue.length > 0) {
      ({ result } = await world.deliverMessage({ receiveCount: MAX_RECEIVE_COUNT }));
    }
    expect(result).toEqual({ outcome: 'failed' });
    expect(world.reports).toMatchObject([
      { code: 'corrupted', message: expect.stringContaining('begun anew 3 times') },
    ]);
    expect(world.server.files.size).toBe(0);
    expect(world.server.unfinished.size).toBe(0);
  });

  it('and leaves staging in mid-transfer is taken back at the destination', async () => {
    const world = await openWorld(dynamo);
    await world.deliverMessage();
    expect(world.server.unfinished.size).toBe(1);
    world.staged.delete(`${world.userId}/html/site.tar`);
    await drain(world);
    expect(world.server.unfinished.size).toBe(0);
    expect((await dynamo.itemsOf(world.userId)).filter((sk) => sk.startsWith('CHECK'))).toEqual([]);
    expect([...world.server.files.keys()]).toEqual(['mysql/db.sql']);
  });

  it.each([
    [
      'composed and decomposed letters',
      { composesNames: true },
      'mail/B\u00fcro.tar',
      'mail/Bu\u0308ro.tar',
    ],
    ['another letter case', { foldsCase: true }, 'mail/Site.tar', 'mail/site.tar'],
    ['another letter case of a folder', { foldsCase: true }, 'Mail/site.tar', 'mail/site.tar'],
    ['both', { composesNames: true, foldsCase: true }, 'mail/BU\u0308RO.tar', 'mail/b\u00fcro.tar'],
  ])(
    'under names that a destination takes for one is delivered once: %s',
    async (_, can, one, two) => {
      const world = await openWorld(dynamo);
      world.capabilities = can;
      const [first, second] = [`${world.userId}/${one}`, `${world.userId}/${two}`];
      world.staged.clear();
      for (const key of [first, second]) world.staged.set(key, sampleBytes(10, key));
      await drain(world);
      expect([...world.server.files.keys()]).toEqual([one]);
      const job = await world.runs.job(world.job);
      expect(job).toMatchObject({
        state: 'failed',
        archives: 1,
        errors: [{ code: 'name-refused', archive: second }],
      });
      const [told] = job?.errors ?? [];
      expect(told?.message).toContain(first);
      expect(told?.message).toContain(second);
    },
  );

  it.each([
    ['letter case', { composesNames: true }, 'mail/Site.tar', 'mail/site.tar'],
    ['composition', { foldsCase: true }, 'mail/B\u00fcro.tar', 'mail/Bu\u0308ro.tar'],
    [
      'letters that are two in capitals',
      { foldsCase: true },
      'mail/strasse.tar',
      'mail/stra\u00dfe.tar',
    ],
  ])('under names that differ otherwise is delivered twice: in %s', async (_, can, one, two) => {
    const world = await openWorld(dynamo);
    world.capabilities = can;
    world.staged.clear();
    for (const name of [one, two]) {
      world.staged.set(`${world.userId}/${name}`, sampleBytes(10, name));
    }
    await drain(world);
    expect([...world.server.files.keys()].sort()).toEqual([one, two].sort());
  });

  it('and delivered just before a kill leaves no checkpoint, whatever the destination says to it', async () => {
    const world = await openWorld(dynamo);
    const { userId, job } = world;
    const place = { userId, destination: job.destination };
    const lease = { ...place, jobId: jobId(job), owner: 'killed', fence: 1, until: 0 };
    await world.deliverMessage();
    const underWay: Checkpoint[] = [];
    for await (const one of world.runs.checkpoints(lease)) underWay.push(one);
    expect(underWay).toHaveLength(1);
    await drain(world);
    for (const one of underWay) await world.runs.saveCheckpoint(lease, one);
    const gone = new FerryError('not-found', 'There is no such upload.', { retry: 'never' });
    failAt(world, 'resume', gone);
    world.queue.push({ ...world.job, slot: '2026-11-23T03:00:00.000Z' });
    world.passTime(86_400_000);
    await drain(world);
    expect((await dynamo.itemsOf(world.userId)).filter((sk) => sk.startsWith('CHECK'))).toEqual([]);
  });

  it('and delivered while a worker that lost its lease still sends it leaves nothing of that one', async () => {
    const world = await openWorld(dynamo);
    const { before: go } = world.server;
    world.staged.delete(`${world.userId}/html/site.tar`);
    const asleep = Promise.withResolvers<void>();
    const awake = Promise.withResolvers<void>();
    world.server.before = async (step, part) => {
      if (step === 'begin') {
        asleep.resolve();
        await awake.promise;
      }
      await go(step, part);
    };
    const late = world.deliverMessage();
    await asleep.promise;
    world.server.before = go;
    world.passTime(INVOCATION_MS + 120_000);
    world.queue.push(world.job);
    await drain(world);
    expect(world.reports).toMatchObject([{ outcome: 'succeeded' }]);
    world.queue.push(world.job);
    awake.resolve();
    expect((await late).result).toMatchObject({ outcome: 'retrying' });
    // It has sent everything since, and saved that: whoever delivered it has nothing noted any more.
    expect(world.server.unfinished.size).toBe(1);
    world.queue.push({ ...world.job, slot: '2026-11-23T03:00:00.000Z' });
    await drain(world);
    expect(world.server.unfinished.size).toBe(0);
    expect(delivered(world, 'mysql/db.sql')).toEqual(staged(world, 'mysql/db.sql'));
    expect((await dynamo.itemsOf(world.userId)).filter((sk) => sk.startsWith('CHECK'))).toEqual([]);
  });

  it('for a component that was not selected stays where it is', async () => {
    const world = await openWorld(dynamo);
    const { settings } = world;
    world.settings = {
      ...settings,
      async read(job, standing) {
        const found = await settings.read(job, standing);
        return found?.ok ? { ok: true, value: { ...found.value, backUp: ['mysql'] } } : found;
      },
    };
    await drain(world);
    expect([...world.server.files.keys()]).toEqual(['mysql/db.sql']);
  });

  it('begins with the settings of the row, and goes on with them over hops and tries', async () => {
    const world = await openWorld(dynamo);
    const { settings } = world;
    const began: boolean[] = [];
    world.settings = {
      isActive: async () => true,
      async read(job, standing) {
        began.push(!standing.goesOn);
        return settings.read(job, standing);
      },
    };
    await world.deliverMessage({ death: { atStep: 8, when: 'after the effect' } });
    await drain(world);
    expect(began.length).toBeGreaterThan(2);
    expect(began.indexOf(true)).toBe(0);
    expect(began.lastIndexOf(true)).toBe(0);
    world.queue.push({ ...world.job, slot: '2026-11-23T03:00:00.000Z' });
    await drain(world);
    expect(began.at(-1)).toBe(true);
  });
});

describe('a destination that cannot continue what was interrupted', () => {
  const openOne = async () => {
    const world = await openWorld(dynamo);
    world.capabilities = { resume: 'none', writes: 'whole', parallel: 1 };
    return world;
  };

  it('gets an archive in one go, in an invocation of its own where that is needed', async () => {
    const world = await openOne();
    world.staged.clear();
    for (const name of ['one', 'two', 'three']) {
      world.staged.set(`${world.userId}/html/${name}.tar`, sampleBytes(10 * PART, name));
    }
    let hops = 0;
    for (; world.queue.length > 0; hops++) {
      expect((await world.deliverMessage()).result).not.toMatchObject({ outcome: 'retrying' });
      expect(world.server.unfinished.size).toBe(0);
    }
    expect(hops).toBe(3);
    for (const name of ['one', 'two', 'three']) {
      expect(delivered(world, `html/${name}.tar`)).toEqual(staged(world, `html/${name}.tar`));
    }
  });

  it('is refused an archive that never gets through, in words that say what to do; others go', async () => {
    const world = await openOne();
    world.staged.set(`${world.userId}/html/site.tar`, sampleBytes(100 * PART, 'endless'));
    await drain(world);
    expect([...world.server.files.keys()]).toEqual(['mysql/db.sql']);
    expect(world.server.unfinished.size).toBe(0);
    expect((await dynamo.itemsOf(world.userId)).filter((sk) => sk.startsWith('CHECK'))).toEqual([]);
    expect(world.reports).toMatchObject([{ outcome: 'failed', code: 'too-large' }]);
    expect(world.reports[0]?.message).toMatch(/0\.\d of 6\.3 MiB arrived.*cannot continue.*Split/);
  });

  it('is not tried to the end where a minute has shown that it is out of reach', async () => {
    const world = await openOne();
    world.staged.set(`${world.userId}/html/site.tar`, sampleBytes(400 * PART, 'endless'));
    let writes = 0;
    const { before: go } = world.server;
    world.server.before = async (step, part) => {
      writes += step === 'write' ? 1 : 0;
      await go(step, part);
    };
    await world.deliverMessage({ invocationMs: 300_000 });
    expect(await world.runs.job(world.job)).toMatchObject({ errors: [{ code: 'too-large' }] });
    // A second and a half each: a minute is forty parts.
    expect(writes).toBeLessThan(45);
  });

  it('keeps what has arrived whole when there is no time left to publish it', async () => {
    const world = await openOne();
    world.staged.clear();
    world.staged.set(`${world.userId}/html/site.tar`, sampleBytes(8 * PART, 'slow end'));
    const { before: go } = world.server;
    let writes = 0;
    world.server.before = async (step, part) => {
      if (step === 'write') writes += 1;
      if (part?.number === 7) world.passTime(10_000);
      await go(step, part);
    };
    expect((await world.deliverMessage()).result).toEqual({ outcome: 'continued' });
    await drain(world);
    expect(writes).toBe(8);
    expect(delivered(world, 'html/site.tar')).toEqual(staged(world, 'html/site.tar'));
    expect(await world.runs.job(world.job)).toMatchObject({ state: 'succeeded', errors: [] });
  });

  it('is left nothing by a killed worker, also of an archive that leaves staging', async () => {
    const world = await openOne();
    const { result } = await world.deliverMessage({
      death: { atStep: 12, when: 'after the effect' },
    });
    expect(result).toBe('died');
    expect(world.server.unfinished.size).toBe(1);
    world.staged.delete(`${world.userId}/html/site.tar`);
    await drain(world);
    expect(world.server.unfinished.size).toBe(0);
    expect([...world.server.files.keys()]).toEqual(['mysql/db.sql']);
  });

  it('is left nothing of an archive that eight killed workers could not get through', async () => {
    const world = await openOne();
    world.staged.delete(`${world.userId}/mysql/db.sql`);
    for (let killed = 0; killed < 8; killed++) {
      const death = { atStep: 20, when: 'after the effect' } as const;
      expect(await world.deliverMessage({ death })).toMatchObject({ result: 'died' });
    }
    expect(world.server.unfinished.size).toBe(1);
    await drain(world);
    expect(world.reports).toMatchObject([{ outcome: 'failed', code: 'too-large' }]);
    expect(world.server.unfinished.size).toBe(0);
    expect((await dynamo.itemsOf(world.userId)).filter((sk) => sk.startsWith('CHECK'))).toEqual([]);
  });

  it('whose connection always breaks is given up after eight beginnings, and leaves nothing', async () => {
    const world = await openOne();
    const cut = new FerryError('unreachable', 'Cut.', { retry: 'now' });
    const { before: go } = world.server;
    let begun = 0;
    let parts = 0;
    world.server.before = async (step, part) => {
      if (step === 'begin') parts = 0;
      // What is begun only to be called off is sent nothing.
      if (part?.number === 0) begun += 1;
      parts += step === 'write' ? 1 : 0;
      if (parts === 5) throw cut;
      await go(step, part);
    };
    world.staged.delete(`${world.userId}/mysql/db.sql`);
    await drain(world);
    expect(begun).toBe(8);
    expect(await world.runs.job(world.job)).toMatchObject({
      state: 'failed',
      errors: [{ code: 'too-large', message: expect.stringContaining('8 times') }],
    });
    expect(world.server.unfinished.size).toBe(0);
  });
});
