import { Temporal } from 'temporal-polyfill';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Job } from '../../functions/core/job.ts';
import { shardOf } from '../../functions/core/spread.ts';
import { enqueueDue } from '../../functions/enqueue-due/enqueue-due.ts';
import type { TickSummary } from '../../functions/enqueue-due/ports.ts';
import { dailySpec, openMemoryLog, openMemoryRows } from './memory-rows.ts';

const SHARDS = 6;
const SLOT = '2026-11-22T03:00:00Z';
const NEXT = '2026-11-23T03:00:00Z';
const NOW = '2026-11-22T03:00:30Z';

let memory: ReturnType<typeof openMemoryRows>;
let log: ReturnType<typeof openMemoryLog>;
let queue: Job[];
let refused: (job: Job) => boolean;
let ticks: TickSummary[];

beforeEach(() => {
  memory = openMemoryRows();
  log = openMemoryLog();
  queue = [];
  refused = () => false;
  ticks = [];
});

function put(userId: string, spec: unknown, dueAt = SLOT) {
  memory.items.set(userId, { userId, spec, dueShard: shardOf(userId, SHARDS), dueAt });
}

const dueAt = (userId: string) => memory.items.get(userId)?.dueAt;
const job = (userId: string, destination = 'nas', slot = SLOT): Job => ({
  userId,
  slot,
  destination,
  hop: 0,
});

interface TickOptions {
  readonly now?: string;
  readonly scheduled?: string;
  readonly remaining?: () => number;
  readonly rows?: Partial<typeof memory.rows>;
}

function tick({ now = NOW, scheduled = now, remaining = () => 55_000, rows }: TickOptions = {}) {
  return enqueueDue(
    {
      rows: { ...memory.rows, ...rows },
      queue: {
        async send(jobs) {
          queue.push(...jobs.filter((each) => !refused(each)));
          return jobs
            .filter((each) => refused(each))
            .map((each) => ({ job: each, code: 'InternalError', message: 'try later' }));
        },
      },
      spread: { minutes: 0, shards: SHARDS },
      metrics: { tickEnded: (summary) => ticks.push({ ...summary }) },
      log,
    },
    Temporal.Instant.from(scheduled),
    { now: () => Date.parse(now), remaining },
  );
}

describe('a tick', () => {
  it('puts one job on the queue for each due user and destination, and moves the users on', async () => {
    put('ada', dailySpec(3, 'nas', 'attic'));
    put('bob', dailySpec(3, 'nas'));
    put('later', dailySpec(4, 'nas'), '2026-11-22T04:00:00Z');
    await tick();
    expect(queue).toHaveLength(3);
    expect(queue).toEqual(expect.arrayContaining([job('ada'), job('ada', 'attic'), job('bob')]));
    expect([dueAt('ada'), dueAt('bob'), dueAt('later')]).toEqual([
      NEXT,
      NEXT,
      '2026-11-22T04:00:00Z',
    ]);
    expect(ticks).toEqual([{ jobs: 3, invalidRows: 0, usersLeft: 0, lagSeconds: 30 }]);
  });

  it('finds users in every shard and on every page', async () => {
    const users = Array.from({ length: 60 }, (_, n) => `user-${n}`);
    for (const user of users) put(user, dailySpec(3, 'nas'));
    await tick();
    expect(queue.map(({ userId }) => userId).sort()).toEqual(users.sort());
    await tick();
    expect(queue).toHaveLength(60);
  });

  it('makes one run of all that was missed in an outage', async () => {
    put('ada', dailySpec(3, 'nas'), '2026-11-10T03:00:00Z');
    await tick();
    await tick();
    expect(queue).toEqual([job('ada', 'nas', '2026-11-10T03:00:00Z')]);
    expect(dueAt('ada')).toBe(NEXT);
  });

  it('leaves out destinations that are switched off', async () => {
    const { destinations } = dailySpec(3, 'nas');
    const off = { type: 'ssh', enabled: false, settings: {} };
    put('ada', { ...dailySpec(3), destinations: { ...destinations, off } });
    await tick();
    expect(queue).toEqual([job('ada')]);
  });

  it('takes a paused user out of the index without a job', async () => {
    put('ada', { ...dailySpec(3, 'nas'), enabled: false });
    await tick();
    expect(queue).toEqual([]);
    expect(dueAt('ada')).toBeUndefined();
    expect(ticks).toEqual([{ jobs: 0, invalidRows: 0, usersLeft: 0, lagSeconds: 0 }]);
  });

  it('does not run an invalid row, says why, and runs the others', async () => {
    put('ada', { ...dailySpec(3, 'nas'), schedule: { cron: 'at night' } });
    put('bob', dailySpec(3, 'nas'));
    await tick();
    expect(queue).toEqual([job('bob')]);
    expect(dueAt('ada')).toBeUndefined();
    expect(memory.items.get('ada')?.status?.problems).toMatchObject([
      { path: 'spec.schedule.cron' },
    ]);
    expect(log.lines).toContainEqual({
      message: 'settings refused',
      fields: { userId: 'ada', reason: expect.stringContaining('spec.schedule.cron') },
    });
    expect(ticks).toEqual([{ jobs: 1, invalidRows: 1, usersLeft: 0, lagSeconds: 30 }]);
  });

  it('believes the row, not the index, which may be behind', async () => {
    put('moved', dailySpec(3, 'nas'), NEXT);
    const stale = ['moved', 'deleted'].map((userId) => ({ userId, at: SLOT }));
    await tick({
      rows: {
        async *due(shard) {
          if (shard === 'due#000') yield stale;
        },
      },
    });
    expect(queue).toEqual([]);
    expect(dueAt('moved')).toBe(NEXT);
  });

  it('runs a user whom somebody set due in another spelling, under the usual one', async () => {
    put('ada', dailySpec(3, 'nas'), '2026-11-22T03:00:00.000Z');
    await tick();
    expect(queue).toEqual([job('ada')]);
    expect(dueAt('ada')).toBe(NEXT);
  });

  it('counts from the planned instant where this clock is behind it', async () => {
    put('ada', dailySpec(3, 'nas'));
    await tick({ now: '2026-11-22T02:59:59Z', scheduled: SLOT });
    expect(queue).toEqual([job('ada')]);
    expect(dueAt('ada')).toBe(NEXT);
    expect(ticks).toEqual([{ jobs: 1, invalidRows: 0, usersLeft: 0, lagSeconds: 0 }]);
  });
});

describe('a tick in trouble', () => {
  it('leaves users due whose jobs the queue did not take, and moves the others on', async () => {
    refused = ({ userId, destination }) => userId === 'ada' && destination === 'attic';
    put('ada', dailySpec(3, 'nas', 'attic'));
    put('bob', dailySpec(3, 'nas'));
    await tick();
    expect([dueAt('ada'), dueAt('bob')]).toEqual([SLOT, NEXT]);
    expect(log.lines).toContainEqual({
      message: 'job not enqueued: the next tick tries again',
      fields: expect.objectContaining({
        userId: 'ada',
        destination: 'attic',
        code: 'InternalError',
      }),
    });
    refused = () => false;
    await tick();
    expect(queue.filter(({ userId }) => userId === 'ada')).toEqual(
      expect.arrayContaining([job('ada'), job('ada', 'attic')]),
    );
    expect(dueAt('ada')).toBe(NEXT);
  });

  it.each(['read', 'save'] as const)(
    'with one %s leaves that user due and runs the others',
    async (call) => {
      put('ada', dailySpec(3, 'nas'));
      put('bob', dailySpec(3, 'nas'));
      const failing = async (userId: string) => {
        if (userId === 'ada') throw new Error('throttled');
      };
      await tick({
        rows: {
          read: async (userId) => {
            if (call === 'read') await failing(userId);
            return memory.rows.read(userId);
          },
          save: async (userId, seen, verdict) => {
            if (call === 'save') await failing(userId);
            return memory.rows.save(userId, seen, verdict);
          },
        },
      });
      expect(queue).toContainEqual(job('bob'));
      expect([dueAt('ada'), dueAt('bob')]).toEqual([SLOT, NEXT]);
      await tick();
      expect(queue).toContainEqual(job('ada'));
      expect(dueAt('ada')).toBe(NEXT);
    },
  );

  it('with one shard works on the others, and then says so', async () => {
    const users = Array.from({ length: 30 }, (_, n) => `user-${n}`);
    for (const user of users) put(user, dailySpec(3, 'nas'));
    const broken = shardOf('user-0', SHARDS);
    const ended = tick({
      rows: {
        due(shard, until) {
          if (shard === broken) throw new Error('no such index');
          return memory.rows.due(shard, until);
        },
      },
    });
    await expect(ended).rejects.toThrow('no such index');
    const reached = users.filter((user) => shardOf(user, SHARDS) !== broken);
    expect(queue.map(({ userId }) => userId).sort()).toEqual(reached.sort());
    expect(ticks).toMatchObject([{ jobs: reached.length }]);
  });

  it('stops between two pages when its time is nearly over, and the next tick goes on', async () => {
    const users = Array.from({ length: 100 }, (_, n) => `user-${n}`);
    for (const user of users) put(user, dailySpec(3, 'nas'));
    let left = 45_000;
    const remaining = () => {
      left -= 2000;
      return left;
    };
    await tick({ remaining });
    const first = queue.length;
    expect(first).toBeGreaterThan(0);
    expect(first).toBeLessThan(users.length);
    expect(users.filter((user) => dueAt(user) === NEXT)).toHaveLength(first);
    await tick();
    expect(queue.map(({ userId }) => userId).sort()).toEqual(users.sort());
  });
});
