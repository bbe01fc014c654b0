import fc from 'fast-check';
import { expect, it } from 'vitest';
import { MiB } from '../../functions/core/parts.ts';
import { writeRequests } from '../../functions/destinations/ssh/requests.ts';

const roundTrips = fc.double({ min: 0, max: 10_000, noNaN: true });

it('sends something, and never more than the window of a channel', () => {
  fc.assert(
    fc.property(fc.boolean(), roundTrips, (isOpenSsh, ms) => {
      const { atOnce, bytes } = writeRequests(isOpenSsh, ms);
      expect(atOnce).toBeGreaterThanOrEqual(1);
      expect(atOnce * bytes).toBeLessThanOrEqual(2 * MiB);
    }),
  );
});

it('sends no less to a server that is farther away', () => {
  fc.assert(
    fc.property(fc.boolean(), roundTrips, roundTrips, (isOpenSsh, one, other) => {
      const [near, far] = [Math.min(one, other), Math.max(one, other)];
      const { atOnce } = writeRequests(isOpenSsh, near);
      expect(atOnce).toBeLessThanOrEqual(writeRequests(isOpenSsh, far).atOnce);
    }),
  );
});

it.each([
  ['a near OpenSSH', true, 0.2, 3],
  ['a far OpenSSH', true, 30, 16],
  ['a near server of another kind', false, 0.2, 73],
])('sends %s as many as keep it at work', (_, isOpenSsh, ms, atOnce) => {
  expect(writeRequests(isOpenSsh, ms).atOnce).toBe(atOnce);
});
