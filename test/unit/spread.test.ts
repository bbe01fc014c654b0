import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { NO_LIMITS } from '../../functions/core/policy.ts';
import { nextSlot } from '../../functions/core/schedule.ts';
import { readSlot, writeSlot } from '../../functions/core/slot.ts';
import { allShards, nextDue, shardOf, spreadOffset } from '../../functions/core/spread.ts';
import { parseSchedule } from '../../functions/settings/schedule.ts';

const users = Array.from({ length: 6000 }, (_, n) => `user-${n}`);

function countBy(values: readonly (string | number)[]): number[] {
  const counts = new Map<string | number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts.values()];
}

describe('the spread of users', () => {
  it('uses every minute of the window about equally', () => {
    const minutes = users.map((user) => spreadOffset(user, 60).total('minutes'));
    const counts = countBy(minutes);
    expect(counts).toHaveLength(60);
    expect(Math.min(...minutes)).toBe(0);
    expect(Math.max(...minutes)).toBe(59);
    expect(Math.max(...counts)).toBeLessThan(200);
  });

  it('moves nobody where the window is empty', () => {
    expect(spreadOffset('ada', 0).total('minutes')).toBe(0);
  });

  it('uses every shard about equally, also among users of the same minute', () => {
    const sameMinute = users.filter((user) => spreadOffset(user, 4).total('minutes') === 0);
    const counts = countBy(sameMinute.map((user) => shardOf(user, 16)));
    expect(counts).toHaveLength(16);
    expect(Math.max(...counts)).toBeLessThan((2 * sameMinute.length) / 16);
  });

  it('puts every user into a shard that the tick looks into', () => {
    for (const shards of [1, 3, 256]) {
      const known = allShards(shards);
      expect(known).toHaveLength(shards);
      for (const user of users.slice(0, 500)) expect(known).toContain(shardOf(user, shards));
    }
    expect(allShards(2)).toEqual(['due#000', 'due#001']);
  });

  it('moves each slot of a user by the same time, and leaves none out', () => {
    const parsed = parseSchedule('30 2 * * *', 'Europe/Berlin', NO_LIMITS);
    if (!parsed.ok) throw new Error('refused');
    const schedule = parsed.value;
    const offset = spreadOffset('ada', 720);
    let planned = nextSlot(schedule, Temporal.Instant.from('2026-03-20T00:00:00Z'));
    let due = planned.add(offset);
    for (let day = 0; day < 20; day++) {
      planned = nextSlot(schedule, planned);
      due = nextDue(schedule, due, offset);
      expect(due.equals(planned.add(offset))).toBe(true);
    }
  });
});

describe('a slot as text', () => {
  const anyInstant = fc
    .integer({ min: 0, max: 253_402_300_799 })
    .map((seconds) => Temporal.Instant.fromEpochMilliseconds(seconds * 1000));

  it('comes back as it was, and sorts by time', () => {
    fc.assert(
      fc.property(anyInstant, anyInstant, (a, b) => {
        expect(readSlot(writeSlot(a))?.equals(a)).toBe(true);
        const byText = writeSlot(a) < writeSlot(b);
        expect(byText).toBe(Temporal.Instant.compare(a, b) < 0);
      }),
    );
  });

  it.each(['soon', '2026-11-22', '2026-13-22T10:00:00Z'])('is not %s', (text) => {
    expect(readSlot(text)).toBeUndefined();
  });

  it.each(['2026-11-22T10:00Z', '2026-11-22T10:00:00.000Z', '2026-11-22T11:00:00+01:00'])(
    'may be written %s, too',
    (text) => {
      const slot = readSlot(text);
      expect(slot && writeSlot(slot)).toBe('2026-11-22T10:00:00Z');
    },
  );
});
