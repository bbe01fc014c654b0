import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openSpans } from '../../functions/transfer/spans.ts';

/** Deals out parts that take so many ms each, in time that passes only there. */
function deal(count: number, partMs: number, mayStart: (ms: number, now: number) => boolean) {
  let now = 1_000;
  const spans = openSpans({
    plan: { size: count, partSize: 1, count },
    from: 0,
    clock: { now: () => now },
    mayStart: (ms) => mayStart(ms, now),
  });
  const turns: { number: number; following: number }[] = [];
  // One is read ahead.
  let ahead = spans.next();
  while (ahead !== undefined) {
    const number = ahead;
    ahead = spans.next();
    turns.push({ number, following: spans.following(number) });
    now += partMs;
    spans.passed();
    ahead ??= spans.next();
  }
  return { turns, stopped: spans.stopped };
}

describe('spans', () => {
  it('promise what is read already, and once the pace is known what goes in two seconds', () => {
    const { turns } = deal(50, 100, () => true);
    expect(turns.map(({ following }) => following)).toEqual([
      1,
      ...Array(28).fill(20),
      ...Array.from({ length: 21 }, (_, at) => 20 - at),
    ]);
  });

  it('get shorter where there is no time for all of a longer one', () => {
    const { turns, stopped } = deal(50, 100, (ms, now) => now + ms < 4_000);
    expect(stopped).toBe(true);
    expect(turns.slice(9, 12).map(({ following }) => following)).toEqual([20, 19, 18]);
    expect(turns).toHaveLength(31);
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
