import { Temporal } from 'temporal-polyfill';
import { beforeEach, describe, expect, it } from 'vitest';
import { shardOf } from '../../functions/core/spread.ts';
import { findReadableSecrets } from '../../functions/destinations/registry.ts';
import { type CheckTools, checkAll } from '../../functions/settings-changed/check-settings.ts';
import { dailySpec, openMemoryLog, openMemoryRows } from './memory-rows.ts';

const SHARDS = 4;
const SHARD = shardOf('ada', SHARDS);

let memory: ReturnType<typeof openMemoryRows>;
let log: ReturnType<typeof openMemoryLog>;
let refusals: number;
let now: string;

beforeEach(() => {
  memory = openMemoryRows();
  log = openMemoryLog();
  refusals = 0;
  now = '2026-11-22T12:00:00Z';
});

/** Puts a whole row, as a person does; what the pipeline wrote is gone unless `rest` holds it. */
function put(spec: unknown, rest: object = {}) {
  memory.items.set('ada', { userId: 'ada', spec, ...rest });
}

/** Changes `spec` alone, as a person does with an update. */
function change(spec: unknown) {
  put(spec, { ...memory.items.get('ada'), spec });
}

function check(users: readonly string[] = ['ada'], over: Partial<CheckTools> = {}) {
  return checkAll(
    {
      rows: memory.rows,
      spread: { minutes: 0, shards: SHARDS },
      raise: async () => {},
      history: { async *jobs() {}, report: async () => {} },
      metrics: {
        rowRefused: () => {
          refusals += 1;
        },
      },
      log,
      secrets: { find: findReadableSecrets, seal: async (_place, setting) => `sealed ${setting}` },
      now: () => Temporal.Instant.from(now),
      ...over,
    },
    users,
  );
}

const row = () => memory.items.get('ada');

describe('a row that was written', () => {
  it('is put into the due index when it is valid', async () => {
    put(dailySpec(3, 'nas'));
    expect(await check()).toEqual(new Set());
    expect(row()).toMatchObject({
      dueShard: SHARD,
      dueAt: '2026-11-23T03:00:00Z',
      status: { problems: [] },
    });
  });

  it('comes to rest: the check of its own write writes nothing', async () => {
    for (const spec of [dailySpec(3, 'nas'), { ...dailySpec(3, 'nas'), enabled: false }, 'wrong']) {
      put(spec);
      await check();
      const written = memory.writes();
      now = '2026-12-24T12:00:00Z';
      await check();
      await check();
      expect(memory.writes()).toBe(written);
    }
  });

  it('leaves the index when it becomes invalid, with the reason', async () => {
    put(dailySpec(3, 'nas'));
    await check();
    change({ ...dailySpec(3, 'nas'), colour: 'red' });
    await check();
    expect(row()).not.toHaveProperty('dueAt');
    expect(row()).not.toHaveProperty('dueShard');
    expect(row()?.status?.problems).toMatchObject([{ path: 'spec.colour' }]);
    expect(refusals).toBe(1);
    expect(log.lines.at(-1)).toMatchObject({ message: 'settings refused' });
  });

  it('leaves the index when it is paused, and comes back', async () => {
    put(dailySpec(3, 'nas'));
    await check();
    change({ ...dailySpec(3, 'nas'), enabled: false });
    await check();
    expect(row()).not.toHaveProperty('dueAt');
    expect(row()?.status?.problems).toEqual([]);
    change(dailySpec(3, 'nas'));
    await check();
    expect(row()?.dueAt).toBe('2026-11-23T03:00:00Z');
  });

  it('follows a new schedule', async () => {
    put(dailySpec(3, 'nas'));
    await check();
    change(dailySpec(15, 'nas'));
    await check();
    expect(row()?.dueAt).toBe('2026-11-22T15:00:00Z');
  });

  it('keeps a slot that has come and waits for the tick when something else changes', async () => {
    put(dailySpec(3, 'nas'));
    await check();
    now = '2026-11-23T03:00:20Z';
    change(dailySpec(3, 'attic'));
    await check();
    expect(row()?.dueAt).toBe('2026-11-23T03:00:00Z');
  });

  it('does not run at a past time that its new schedule never had', async () => {
    put(dailySpec(3, 'nas'));
    await check();
    now = '2026-11-23T03:00:20Z';
    change(dailySpec(4, 'nas'));
    await check();
    expect(row()?.dueAt).toBe('2026-11-23T04:00:00Z');
  });

  it('is planned anew when a person put it whole, without what the pipeline wrote', async () => {
    put(dailySpec(3, 'nas'));
    await check();
    put(dailySpec(3, 'nas'));
    await check();
    expect(row()).toMatchObject({ dueAt: '2026-11-23T03:00:00Z', status: { problems: [] } });
  });

  it.each([
    ['without a shard', { dueShard: undefined }],
    ['in a shard of another time', { dueShard: 'due#099' }],
    ['with no instant to be due at', { dueAt: 'tonight' }],
    ['without an instant to be due at', { dueAt: undefined }],
  ])('is set right when somebody left it %s', async (_what, spoilt) => {
    put(dailySpec(3, 'nas'));
    await check();
    put(dailySpec(3, 'nas'), { ...row(), ...spoilt });
    await check();
    expect(row()).toMatchObject({ dueShard: SHARD, dueAt: '2026-11-23T03:00:00Z' });
  });

  it('runs at once when somebody sets it due now', async () => {
    put(dailySpec(3, 'nas'));
    await check();
    put(dailySpec(3, 'nas'), { ...row(), dueAt: now });
    await check();
    expect(row()?.dueAt).toBe(now);
  });

  it.each(['2026-11-22T12:00:00.000Z', '2026-11-22T12:00Z', '2026-11-22T13:00:00+01:00'])(
    'runs at once when somebody spells now as %s',
    async (spelled) => {
      put(dailySpec(3, 'nas'));
      await check();
      put(dailySpec(3, 'nas'), { ...row(), dueAt: spelled });
      await check();
      expect(row()?.dueAt).toBe('2026-11-22T12:00:00Z');
    },
  );

  it('stays where a tick has moved it that is ahead of this clock', async () => {
    put(dailySpec(3, 'nas'));
    await check();
    put(dailySpec(3, 'nas'), { ...row(), dueAt: '2026-11-24T03:00:00Z' });
    await check();
    expect(row()?.dueAt).toBe('2026-11-24T03:00:00Z');
  });

  it('may run earlier than planned because somebody wants it, but not years later', async () => {
    put(dailySpec(3, 'nas'));
    await check();
    put(dailySpec(3, 'nas'), { ...row(), dueAt: '2026-11-22T18:00:00Z' });
    await check();
    expect(row()?.dueAt).toBe('2026-11-22T18:00:00Z');
    put(dailySpec(3, 'nas'), { ...row(), dueAt: '2099-01-01T00:00:00Z' });
    await check();
    expect(row()?.dueAt).toBe('2026-11-23T03:00:00Z');
  });

  it('is fine with having been deleted meanwhile', async () => {
    expect(await check()).toEqual(new Set());
    expect(memory.items.size).toBe(0);
  });

  it('is read again when the tick moved it on in between', async () => {
    put(dailySpec(3, 'nas'), { dueShard: SHARD, dueAt: '2026-11-22T03:00:00Z' });
    let moves = 1;
    const rows: CheckTools['rows'] = {
      ...memory.rows,
      async read(userId) {
        const found = await memory.rows.read(userId);
        if (moves-- > 0) put(dailySpec(3, 'nas'), { ...row(), dueAt: '2026-11-23T03:00:00Z' });
        return found;
      },
    };
    expect(await check(['ada'], { rows })).toEqual(new Set());
    expect(row()).toMatchObject({ dueAt: '2026-11-23T03:00:00Z', status: { problems: [] } });
  });
});

describe('a batch of rows that were written', () => {
  it('names those that could not be looked at, and is done with the others', async () => {
    put(dailySpec(3, 'nas'));
    memory.items.set('bob', { userId: 'bob', spec: dailySpec(3, 'nas') });
    const rows: CheckTools['rows'] = {
      ...memory.rows,
      async read(userId) {
        if (userId === 'bob') throw new Error('throttled');
        return memory.rows.read(userId);
      },
    };
    expect(await check(['ada', 'bob', 'ada'], { rows })).toEqual(new Set(['bob']));
    expect(row()?.dueAt).toBe('2026-11-23T03:00:00Z');
  });

  it('gives up on a row that never stands still, for a later try', async () => {
    put(dailySpec(3, 'nas'));
    const rows: CheckTools['rows'] = { ...memory.rows, save: async () => false };
    expect(await check(['ada'], { rows })).toEqual(new Set(['ada']));
  });
});
