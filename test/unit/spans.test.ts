import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openSpans, type Turn } from '../../functions/transfer/spans.ts';

/** Deals out parts that take so many ms each, in time that passes only there. */
function deal(count: number, partMs: number, mayStart: (ms: number, now: number) => boolean) {
  let now = 1_000;
  const spans = openSpans({
    plan: { size: count, partSize: 1, count },
    from: 0,
    clock: { now: () => now },
    mayStart: (ms) => mayStart(ms, now),
  });
  const turns: Turn[] = [];
  for (let turn = spans.next(); turn; turn = spans.next()) {
    turns.push(turn);
    now += partMs;
    spans.passed();
  }
  return { turns, stopped: spans.stopped };
}

describe('spans', () => {
  it('promise nothing before the pace is known, and then what goes in two seconds', () => {
    const { turns } = deal(50, 100, () => true);
    expect(turns.slice(0, 3)).toEqual([
      { number: 0, following: 0 },
      { number: 1, following: 19 },
      { number: 2, following: 18 },
    ]);
    expect(turns[20]).toEqual({ number: 20, following: 0 });
    expect(turns[21]).toEqual({ number: 21, following: 19 });
  });

  it('are of one part where there is no time for a longer one', () => {
    const { turns, stopped } = deal(50, 100, (ms, now) => now + ms < 4_000);
    expect(stopped).toBe(true);
    expect(turns.findLast(({ following }) => following > 0)?.number).toBeLessThan(30);
    expect(turns).toHaveLength(30);
  });

  it('keep every promise, take each part once and never go past the last', () => {
    const given = fc.record({
      count: fc.integer({ min: 0, max: 300 }),
      partMs: fc.integer({ min: 0, max: 3_000 }),
      until: fc.integer({ min: 1_000, max: 100_000 }),
    });
    fc.assert(
      fc.property(given, ({ count, partMs, until }) => {
        const { turns, stopped } = deal(count, partMs, (ms, now) => now + ms <= until);
        expect(turns.map(({ number }) => number)).toEqual(turns.map((_, at) => at));
        for (const { number, following } of turns) {
          expect(number + following).toBeLessThan(turns.length);
        }
        expect(stopped).toBe(turns.length < count);
      }),
    );
  });
});
