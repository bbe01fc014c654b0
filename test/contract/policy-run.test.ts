import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FerryError } from '../../functions/core/errors.ts';
import { endingEvents } from '../../functions/core/event.ts';
import { type Job, jobId } from '../../functions/core/job.ts';
import { NO_LIMITS, typeProblems } from '../../functions/core/policy.ts';
import { type EmbeddedDynamoDb, startDynamoDb } from '../servers/embedded-dynamodb.ts';
import { openWorld, PART, type World } from './job-world.ts';
import { sampleBytes } from './sample.ts';

/** What the operator allows, where it only shows while a job runs. */
let dynamo: EmbeddedDynamoDb;
let world: World;

beforeAll(async () => {
  dynamo = await startDynamoDb();
});
afterAll(() => dynamo.stop());
beforeEach(async () => {
  world = await openWorld(dynamo);
  world.staged.clear();
});

/** Puts an archive of so many bytes into staging. */
function stage(file: string, bytes: number, component = 'html') {
  world.staged.set(`${world.userId}/${component}/${file}`, sampleBytes(bytes, file));
}

/** Lets the queue be worked off. */
async function runAll() {
  while (world.queue.length > 0) await world.deliverMessage();
}

/** The next job of the same destination. */
function nextSlot(): Job {
  const slot = new Date(Date.parse(world.job.slot) + 3600_000).toISOString().replace('.000Z', 'Z');
  return { ...world.job, slot, hop: 0 };
}

describe('a run with more bytes than the operator allows', () => {
  it('is refused before its first byte, and says by which rule', async () => {
    stage('a.tar', 3 * PART);
    stage('b.tar', 2 * PART);
    world.policy = { ...NO_LIMITS, mostBytesPerRun: 5 * PART - 1 };
    let contacts = 0;
    world.server.before = async () => {
      contacts += 1;
    };
    await runAll();
    expect(contacts).toBe(0);
    expect(world.server.files.size).toBe(0);
    expect(world.reports).toMatchObject([
      { outcome: 'failed', code: 'policy', message: expect.stringContaining('(mostBytesPerRun)') },
    ]);
    expect(world.events).toMatchObject([
      { type: 'Run failed', id: jobId(world.job), code: 'policy' },
    ]);
  });

  it('counts what earlier hops of the same job delivered, and nothing that others did', async () => {
    stage('a.tar', 20 * PART);
    stage('b.tar', 20 * PART);
    world.policy = { ...NO_LIMITS, mostBytesPerRun: 40 * PART };
    await runAll();
    expect(world.reports).toMatchObject([{ outcome: 'succeeded' }]);
    expect((await world.runs.job(world.job))?.hop).toBeGreaterThan(0);
    stage('c.tar', 40 * PART);
    world.queue.push(nextSlot());
    await runAll();
    expect(world.reports.at(-1)).toMatchObject({ outcome: 'succeeded' });
  });

  it('leaves what is not selected out of the count', async () => {
    stage('a.tar', PART);
    stage('huge.tar', 9 * PART, 'mail');
    world.policy = { ...NO_LIMITS, mostBytesPerRun: 2 * PART };
    const { read } = world.settings;
    world.settings = {
      ...world.settings,
      async read(job, standing) {
        const found = await read(job, standing);
        return found?.ok ? { ok: true, value: { ...found.value, backUp: ['html'] } } : found;
      },
    };
    await runAll();
    expect(world.reports).toMatchObject([{ outcome: 'succeeded' }]);
  });
});

describe('a month with more bytes than the operator allows', () => {
  const month = () => new Date(world.now()).toISOString().slice(0, 7);
  const delivered = () => world.runs.deliveredIn(world.userId, month());

  it('ends the run at the first archive for which there is no room', async () => {
    stage('a.tar', 3 * PART);
    stage('b.tar', 3 * PART);
    world.policy = { ...NO_LIMITS, mostBytesPerMonth: 5 * PART };
    await runAll();
    expect([...world.server.files.keys()]).toEqual(['html/a.tar']);
    expect(await delivered()).toBe(3 * PART);
    expect(world.reports).toMatchObject([
      {
        outcome: 'failed',
        code: 'policy',
        message: expect.stringMatching(/\(mostBytesPerMonth\).*next month/),
      },
    ]);
  });

  it('is over when the next one begins', async () => {
    stage('a.tar', 3 * PART);
    stage('b.tar', 3 * PART);
    world.policy = { ...NO_LIMITS, mostBytesPerMonth: 5 * PART };
    await runAll();
    world.passTime(32 * 24 * 3600_000);
    world.queue.push(nextSlot());
    await runAll();
    expect(world.reports.at(-1)).toMatchObject({ outcome: 'succeeded' });
    expect(world.server.files.size).toBe(2);
    expect(await delivered()).toBe(3 * PART);
  });

  it.each(['before the effect', 'after the effect'] as const)(
    'counts no archive twice and loses at most one, whenever its worker is killed, %s',
    async (when) => {
      let short = 0;
      for (let atStep = 1; ; atStep++) {
        world = await openWorld(dynamo);
        world.staged.clear();
        stage('a.tar', 2 * PART);
        stage('b.tar', PART);
        const { result } = await world.deliverMessage({ death: { atStep, when } });
        await runAll();
        const missing = 3 * PART - (await delivered());
        expect([0, PART, 2 * PART]).toContain(missing);
        if (missing > 0) short += 1;
        if (result !== 'died') break;
      }
      // Killed between receipt and count, once for each archive.
      expect(short).toBeLessThanOrEqual(2);
      expect(short).toBeGreaterThan(0);
    },
  );
});

describe('more jobs at once than the operator allows', () => {
  /** Somebody delivers to another destination of the user for so long. */
  async function busy(destination: string, ms: number) {
    const job = { ...world.job, destination };
    await world.runs.acquire(job, `owner of ${destination}`, world.now() + ms);
  }

  it('wait for their turn without using up deliveries, and run when it comes', async () => {
    stage('a.tar', PART);
    world.policy = { ...NO_LIMITS, mostJobsAtOnce: 2 };
    await busy('attic', 3600_000);
    await busy('cloud', 3600_000);
    const waits: number[] = [];
    for (let times = 0; times < 12; times++) {
      const before = world.now();
      expect(await world.deliverMessage({ receiveCount: 1 })).toMatchObject({
        result: { outcome: 'continued' },
      });
      waits.push(world.now() - before);
    }
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(30_000);
    expect(world.queue).toEqual([{ ...world.job, hop: 12 }]);
    expect(world.server.files.size).toBe(0);
    expect(await world.runs.job(world.job)).toMatchObject({ state: 'running', hop: 12 });
    world.passTime(2 * 3600_000);
    await runAll();
    expect(world.reports).toMatchObject([{ outcome: 'succeeded' }]);
  });

  it('wait in one message, however many more somebody sends', async () => {
    stage('a.tar', PART);
    world.policy = { ...NO_LIMITS, mostJobsAtOnce: 1 };
    await busy('attic', 3600_000);
    await world.deliverMessage();
    for (let round = 0; round < 3; round++) {
      const hop = (await world.runs.job(world.job))?.hop ?? 0;
      world.queue.push({ ...world.job, hop }, { ...world.job, hop });
      // The twins and the one that waited.
      for (let times = 0; times < 3; times++) await world.deliverMessage();
      expect(world.queue).toHaveLength(1);
    }
    world.passTime(2 * 3600_000);
    await runAll();
    expect(world.reports).toMatchObject([{ outcome: 'succeeded' }]);
  });

  it('end at once when they are cancelled while they wait', async () => {
    stage('a.tar', PART);
    world.policy = { ...NO_LIMITS, mostJobsAtOnce: 1 };
    await busy('attic', 3600_000);
    await world.deliverMessage();
    await world.runs.cancel(world.job);
    expect(await world.deliverMessage()).toMatchObject({ result: { outcome: 'skipped' } });
    expect(world.queue).toEqual([]);
    expect(world.server.files.size).toBe(0);
  });

  it('may be as many as it allows', async () => {
    stage('a.tar', PART);
    world.policy = { ...NO_LIMITS, mostJobsAtOnce: 2 };
    await busy('attic', 3600_000);
    await runAll();
    expect(world.reports).toMatchObject([{ outcome: 'succeeded' }]);
  });

  it('fail when they have waited for a day', async () => {
    stage('a.tar', PART);
    world.policy = { ...NO_LIMITS, mostJobsAtOnce: 1 };
    await busy('attic', 48 * 3600_000);
    await world.deliverMessage();
    world.passTime(24 * 3600_000);
    await runAll();
    expect(world.reports).toMatchObject([
      { outcome: 'failed', code: 'policy', message: expect.stringContaining('(mostJobsAtOnce)') },
    ]);
    expect(world.events).toMatchObject([{ type: 'Run failed', code: 'policy' }]);
  });

  it('do not get lost when their worker is killed while it lets them wait', async () => {
    for (const when of ['before the effect', 'after the effect'] as const) {
      for (let atStep = 1; ; atStep++) {
        world = await openWorld(dynamo);
        world.staged.clear();
        stage('a.tar', PART);
        world.policy = { ...NO_LIMITS, mostJobsAtOnce: 1 };
        await busy('attic', 60_000);
        const { result } = await world.deliverMessage({ death: { atStep, when } });
        world.passTime(3600_000);
        await runAll();
        expect(world.reports).toMatchObject([{ outcome: 'succeeded' }]);
        if (result !== 'died') break;
      }
    }
  });
});

describe('a row that the operator no longer allows', () => {
  it('fails its run by the policy, and says by which rule', async () => {
    const problems = typeProblems({ ...NO_LIMITS, types: ['s3'] }, 'memory');
    world.settings = { ...world.settings, read: async () => ({ ok: false, problems }) };
    await runAll();
    expect(world.reports).toMatchObject([
      { outcome: 'failed', code: 'policy', message: expect.stringContaining('(types)') },
    ]);
  });

  it('with a mistake besides fails by its settings', async () => {
    const [rule] = typeProblems({ ...NO_LIMITS, types: ['s3'] }, 'memory');
    const mistake = { path: 'spec.v', problem: 'This is missing.', remedy: 'Give the number 1.' };
    const problems = rule ? [rule, mistake] : [];
    world.settings = { ...world.settings, read: async () => ({ ok: false, problems }) };
    await runAll();
    expect(world.reports).toMatchObject([{ outcome: 'failed', code: 'setting-invalid' }]);
  });
});

describe('events', () => {
  it('tell of a run that failed, once, and of no other', async () => {
    stage('a.tar', PART);
    await runAll();
    expect(world.events).toEqual([]);
    stage('b.tar', PART);
    world.queue.push(nextSlot());
    world.server.before = async () => {
      throw new FerryError('auth-refused', 'The server refused the password.', { retry: 'never' });
    };
    const [job = world.job] = world.queue;
    await runAll();
    world.queue.push(job);
    await runAll();
    expect(world.events).toMatchObject([
      {
        type: 'Run failed',
        id: jobId(job),
        userId: world.userId,
        destination: job.destination,
        slot: job.slot,
        code: 'auth-refused',
        message: 'The server refused the password.',
        archives: 0,
      },
    ]);
  });

  it('tell of a changed host key beside the run', () => {
    const at = '2026-11-25T03:00:00.000Z';
    const message = 'The server shows another host key.';
    const report = { slot: world.job.slot, outcome: 'failed', at, message } as const;
    const record = {
      v: 1,
      jobId: jobId(world.job),
      state: 'failed',
      hop: 0,
      fence: 1,
      startedAt: at,
      archives: 0,
      bytes: 0,
      errors: [{ code: 'host-key-changed', message }],
    } as const;
    const events = endingEvents(world.job, { ...report, code: 'host-key-changed' }, record);
    expect(events.map(({ type }) => type)).toEqual(['Host key changed', 'Run failed']);
    expect(events).toMatchObject([{ message }, { message }]);
  });

  it('are lost where the worker is killed right before them, and the user is told all the same', async () => {
    stage('a.tar', PART);
    world.policy = { ...NO_LIMITS, mostBytesPerRun: 1 };
    const lost: number[] = [];
    for (let atStep = 1; ; atStep++) {
      world = await openWorld(dynamo);
      world.policy = { ...NO_LIMITS, mostBytesPerRun: 1 };
      const { result } = await world.deliverMessage({
        death: { atStep, when: 'before the effect' },
      });
      await runAll();
      expect(world.reports.at(-1)).toMatchObject({ outcome: 'failed', code: 'policy' });
      expect(world.events.length).toBeLessThanOrEqual(1);
      if (world.events.length === 0) lost.push(atStep);
      if (result !== 'died') break;
    }
    expect(lost).toHaveLength(1);
  });
});
