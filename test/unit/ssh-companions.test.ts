import fc from 'fast-check';
import { expect, it } from 'vitest';
import { GiB, MiB } from '../../functions/core/parts.ts';
import { connectionsFor } from '../../functions/destinations/ssh/companions.ts';

it.each([
  ['near by, however large', GiB, 0.3, 1],
  ['far away, but small', 24 * MiB, 300, 1],
  ['across a country', GiB, 30, 4],
  ['across an ocean', GiB, 80, 8],
  ['far away, and soon over', 48 * MiB, 80, 4],
])('a file %s takes as many SSH connections as pay', (_, bytes, roundTripMs, count) => {
  expect(connectionsFor(bytes, roundTripMs)).toBe(count);
});

it('is between one and eight, and never fewer for more bytes or a longer line', () => {
  const bytes = fc.nat({ max: 4 * GiB });
  const ms = fc.double({ min: 0, max: 2000, noNaN: true });
  fc.assert(
    fc.property(bytes, ms, bytes, ms, (size, near, more, further) => {
      const count = connectionsFor(size, near);
      expect(count).toBeGreaterThanOrEqual(1);
      expect(count).toBeLessThanOrEqual(8);
      expect(connectionsFor(size + more, near + further)).toBeGreaterThanOrEqual(count);
    }),
  );
});
