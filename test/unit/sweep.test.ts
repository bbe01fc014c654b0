import { beforeEach, describe, expect, it } from 'vitest';
import { type Job, type JobName, jobId } from '../../functions/core/job.ts';
import { type JobRecord, startRecord } from '../../functions/core/job-record.ts';
import { CLOCK_SKEW_MS } from '../../functions/core/lease.ts';
import {
  expectedAfter,
  expectedUntil,
  isOverdue,
  MOST_SWEEPS,
  sweptRecord,
} from '../../functions/core/overdue.ts';
import { jobKey, readJobKey } from '../../functions/runs/keys.ts';
import type { SweepRuns, SweepSummary } from '../../functions/sweep/ports.ts';
import { sweepJobs } from '../../functions/sweep/sweep.ts';
import { openMemoryLog } from './memory-rows.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const NOW = Date.parse('2026-11-22T03:00:00Z');
const SHARDS = ['sweep#000', 'sweep#001', 'sweep#002'];

let records: Map<string, { readonly shard: string; readonly job: JobName; record: JobRecord }>;
let queue: Job[];
let reports: { readonly userId: string; readonly outcome: string }[];
let sweeps: SweepSummary[];
let log: ReturnType<typeof openMemoryLog>;
let refused: (job: Job) => boolean;

beforeEach(() => {
  records = new Map();
  queue = [];
  reports = [];
  sweeps = [];
  log = openMemoryLog();
  refused = () => false;
});

const nameOf = (userId: string): JobName => ({
  userId,
  slot: '2026-11-22T02:00:00Z',
  destination: 'nas',
});

/** A job that is lost, unless `change` says otherwise. */
function put(userId: string, change: Partial<JobRecord> = {}, shard = 'sweep#000') {
  const job = nameOf(userId);
  const started = startRecord({ ...job, hop: 2 }, undefined, 7, NOW - HOUR);
  const expectedBy = expectedUntil({ until: NOW - 10 * MINUTE });
  records.set(jobId(job), { shard, job, record: { ...started, expectedBy, ...change } });
}

const recordOf = (userId: string) => records.get(jobId(nameOf(userId)))?.record;

/** The runs table in memory, with the conditions of the real one. */
const runs: SweepRuns = {
  shards: SHARDS,
  async *overdue(shard, before) {
    const due = [...records.values()].filter(
      ({ record, shard: own }) => own === shard && (record.expectedBy ?? '9') < before,
    );
    for (let at = 0; at < due.length; at += 2) yield due.slice(at, at + 2).map(({ job }) => job);
  },
  job: async (job) => records.get(jobId(job))?.record,
  async moveOn(job, seen, swept) {
    const found = records.get(jobId(job));
    if (!found || found.record.expectedBy !== seen.expectedBy) return false;
    found.record = swept;
    return true;
  },
  async acquire(job, owner, until) {
    return { held: true, lease: { ...job, jobId: jobId(job), owner, until, fence: 8 } };
  },
  async saveJob(job, record) {
    const found = records.get(jobId(job));
    if (found) found.record = record;
  },
  release: async () => {},
};

interface SweepOptions {
  readonly at?: number;
  readonly remaining?: () => number;
  readonly change?: Partial<SweepRuns>;
}

function sweep({ at = NOW, remaining = () => 120_000, change = {} }: SweepOptions = {}) {
  return sweepJobs(
    {
      runs: { ...runs, ...change },
      queue: {
        async send(jobs) {
          queue.push(...jobs.filter((each) => !refused(each)));
          return jobs
            .filter((each) => refused(each))
            .map((job) => ({ job, code: 'InternalError', message: 'try later' }));
        },
      },
      report: async (userId, _destination, { outcome }) => void reports.push({ userId, outcome }),
      raise: async () => {},
      metrics: { sweepEnded: (summary) => sweeps.push({ ...summary }) },
      log,
    },
    'request',
    { now: () => at, remaining },
  );
}

const usersSent = () => queue.map(({ userId }) => userId).sort();

describe('what is expected of a job', () => {
  const overdueAt = (expectedBy: string | undefined, now: number) => {
    put('ada', { expectedBy });
    const record = recordOf('ada');
    return record !== undefined && isOverdue(record, now);
  };

  it('of a worker: to be done by the end of its lease, whichever clock is right', () => {
    const expected = expectedUntil({ until: NOW });
    expect(overdueAt(expected, NOW + CLOCK_SKEW_MS)).toBe(false);
    expect(overdueAt(expected, NOW + CLOCK_SKEW_MS + 1)).toBe(true);
  });

  it.each([
    ['a continuation', 0, 31],
    ['the longest delay of a message that is sent', 15, 46],
    ['the longest backoff', 60, 91],
    ['what a server asks for, as far as the queue hides a message', 40 * 24 * 60, 12 * 60 + 31],
  ])('of %s: to have a worker within half an hour after it is due', (_, delay, minutes) => {
    const expected = expectedAfter(NOW, delay * MINUTE);
    expect(overdueAt(expected, NOW + minutes * MINUTE)).toBe(false);
    expect(overdueAt(expected, NOW + minutes * MINUTE + 1)).toBe(true);
  });

  it('is nothing where it has ended, or was written before anybody expected something', () => {
    expect(overdueAt(undefined, NOW)).toBe(false);
    put('ada', { state: 'failed' });
    const ended = recordOf('ada');
    expect(ended && isOverdue(ended, NOW)).toBe(false);
  });

  it('grows with each sweep, to more than a day in all', () => {
    put('ada');
    let record = recordOf('ada');
    if (!record) throw new Error('no record');
    const hours: number[] = [];
    for (let times = 1; times <= MOST_SWEEPS; times++) {
      const swept = sweptRecord(record, NOW);
      hours.push((Date.parse(swept.expectedBy) - NOW) / HOUR);
      record = swept;
    }
    expect(hours).toEqual([1, 2, 4, 8, 16]);
    expect(record.sweeps).toBe(MOST_SWEEPS);
  });
});

describe('the key of a job', () => {
  it('can be read back', () => {
    const job = { userId: 'a.b@c-d_e', slot: '2026-11-22T02:00:00Z', destination: 'my-nas' };
    expect(readJobKey(jobKey(job))).toEqual(job);
  });

  it.each([
    ['USER#ada', 'LEASE#nas'],
    ['USER#ada', 'JOB#2026-11-22T02:00:00Z'],
    ['ada', 'JOB#2026-11-22T02:00:00Z#nas'],
  ])('is not %s %s', (pk, sk) => {
    expect(() => readJobKey({ pk, sk })).toThrow(sk);
  });
});

describe('a sweep', () => {
  it('puts lost jobs of every shard and page on the queue, with the hop they are in', async () => {
    const users = Array.from({ length: 15 }, (_, n) => `user-${n}`);
    for (const [n, user] of users.entries()) put(user, {}, SHARDS[n % 3]);
    await sweep();
    expect(usersSent()).toEqual(users.sort());
    for (const { hop } of queue) expect(hop).toBe(2);
    expect(sweeps).toEqual([{ swept: 15, givenUp: 0, left: 0 }]);
    await sweep();
    expect(queue).toHaveLength(15);
    expect(log.lines).toContainEqual({
      message: 'lost job sent again',
      fields: {
        jobId: jobId(nameOf('user-3')),
        userId: 'user-3',
        destination: 'nas',
        hop: 2,
        sweeps: 1,
      },
    });
  });

  it('believes the record, not the index, which may be behind', async () => {
    put('done', { state: 'succeeded', expectedBy: undefined });
    put('goes-on', { expectedBy: expectedAfter(NOW, 0) });
    const stale = ['done', 'goes-on', 'expired'].map(nameOf);
    await sweep({
      change: {
        async *overdue(shard) {
          if (shard === 'sweep#000') yield stale;
        },
      },
    });
    expect(queue).toEqual([]);
    expect(sweeps).toEqual([{ swept: 0, givenUp: 0, left: 0 }]);
  });

  it('ends as failed what was swept five times, and sends the others', async () => {
    put('ada', { sweeps: MOST_SWEEPS });
    put('bob', { sweeps: MOST_SWEEPS - 1 });
    await sweep();
    expect(queue).toEqual([{ ...nameOf('bob'), hop: 2 }]);
    expect(recordOf('ada')).toMatchObject({ state: 'failed', fence: 8, expectedBy: undefined });
    expect(reports).toEqual([{ userId: 'ada', outcome: 'failed' }]);
    expect(sweeps).toEqual([{ swept: 1, givenUp: 1, left: 0 }]);
  });

  it('gives nothing up that a worker has taken until the lease was there', async () => {
    put('ada', { sweeps: MOST_SWEEPS });
    await sweep({
      change: {
        async acquire(job, owner, until) {
          put('ada', { sweeps: MOST_SWEEPS, expectedBy: expectedUntil({ until: NOW + HOUR }) });
          return runs.acquire(job, owner, until);
        },
      },
    });
    expect(recordOf('ada')?.state).toBe('running');
    expect(reports).toEqual([]);
    expect(sweeps).toEqual([{ swept: 0, givenUp: 0, left: 0 }]);
  });
});

describe('a sweep in trouble', () => {
  it('leaves jobs that the queue did not take, and tries them again', async () => {
    refused = ({ userId }) => userId === 'ada';
    put('ada');
    put('bob');
    await sweep();
    expect(usersSent()).toEqual(['bob']);
    expect(recordOf('ada')?.sweeps).toBeUndefined();
    expect(sweeps).toEqual([{ swept: 1, givenUp: 0, left: 1 }]);
    refused = () => false;
    await sweep();
    expect(usersSent()).toEqual(['ada', 'bob']);
  });

  it.each(['job', 'moveOn'] as const)(
    'with one %s leaves that job and sweeps the others',
    async (call) => {
      put('ada');
      put('bob');
      put('cyd', {}, 'sweep#002');
      const failing = ({ userId }: JobName) => {
        if (userId === 'ada') throw new Error('throttled');
      };
      await sweep({
        change: {
          async job(job) {
            if (call === 'job') failing(job);
            return runs.job(job);
          },
          async moveOn(job, seen, swept) {
            if (call === 'moveOn') failing(job);
            return runs.moveOn(job, seen, swept);
          },
        },
      });
      expect(usersSent()).toEqual(expect.arrayContaining(['bob', 'cyd']));
      expect(recordOf('bob')?.sweeps).toBe(1);
      expect(recordOf('ada')?.sweeps).toBeUndefined();
      expect(sweeps).toMatchObject([{ left: 1 }]);
      expect(log.lines).toContainEqual({
        message: 'lost job left for the next sweep',
        fields: expect.objectContaining({ userId: 'ada', error: expect.any(Error) }),
      });
    },
  );

  it.each(['record', 'lease'])(
    'with the %s of a job to be given up leaves that job',
    async (what) => {
      put('ada', { sweeps: MOST_SWEEPS });
      put('bob');
      await sweep({
        change:
          what === 'lease'
            ? { acquire: () => Promise.reject(new Error('throttled')) }
            : { saveJob: () => Promise.reject(new Error('throttled')) },
      });
      expect(usersSent()).toEqual(['bob']);
      expect(recordOf('ada')?.state).toBe('running');
      expect(sweeps).toEqual([{ swept: 1, givenUp: 0, left: 1 }]);
    },
  );

  it('with one shard works on the others, and then says so', async () => {
    put('ada', {}, 'sweep#000');
    put('bob', {}, 'sweep#001');
    put('cyd', {}, 'sweep#002');
    const ended = sweep({
      change: {
        overdue(shard, before) {
          if (shard === 'sweep#001') throw new Error('no such index');
          return runs.overdue(shard, before);
        },
      },
    });
    await expect(ended).rejects.toThrow('no such index');
    expect(usersSent()).toEqual(['ada', 'cyd']);
    expect(sweeps).toMatchObject([{ swept: 2 }]);
  });

  it('stops between two pages when its time is nearly over, and the next one goes on', async () => {
    const users = Array.from({ length: 20 }, (_, n) => `user-${n}`);
    for (const user of users) put(user);
    let left = 20_000;
    const remaining = () => {
      left -= 2000;
      return left;
    };
    await sweep({ remaining });
    expect(queue.length).toBeGreaterThan(0);
    expect(queue.length).toBeLessThan(users.length);
    await sweep();
    expect(usersSent()).toEqual(users.sort());
  });

  it('fills the queue by and by when very much was lost at once', async () => {
    const users = Array.from({ length: 50 }, (_, n) => `user-${n}`);
    for (const user of users) put(user);
    await sweep();
    // Twenty pages of two.
    expect(queue).toHaveLength(40);
    await sweep();
    expect(usersSent()).toEqual(users.sort());
  });
});
