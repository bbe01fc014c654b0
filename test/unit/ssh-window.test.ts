import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FerryError } from '../../functions/core/errors.ts';
import { openWindow } from '../../functions/destinations/ssh/window.ts';

const NEVER = new AbortController().signal;
const broken = new FerryError('unreachable', 'Broken.', { retry: 'now' });

describe('a window', () => {
  it('never lets more in than it has room for, and lets all in, in order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 0, max: 30 }), run),
    );
    async function run(size: number, visitors: number) {
      const window = openWindow(size);
      const order: number[] = [];
      let inside = 0;
      const visit = async (number: number) => {
        await window.enter(NEVER);
        order.push(number);
        inside += 1;
        expect(inside).toBeLessThanOrEqual(size);
        await new Promise(setImmediate);
        inside -= 1;
        window.leave();
      };
      const numbers = Array.from({ length: visitors }, (_, number) => number);
      await Promise.all(numbers.map(visit));
      expect(order).toEqual(numbers);
    }
  });

  it('turns away who waits and who comes, once it is closed', async () => {
    const window = openWindow(1);
    await window.enter(NEVER);
    const waiting = window.enter(NEVER);
    window.close(broken);
    await expect(waiting).rejects.toBe(broken);
    await expect(window.enter(NEVER)).rejects.toBe(broken);
  });

  it('gives the place of somebody who stopped waiting to the next', async () => {
    const window = openWindow(1);
    const stopping = new AbortController();
    await window.enter(NEVER);
    const gaveUp = window.enter(stopping.signal);
    const next = window.enter(NEVER);
    stopping.abort(broken);
    await expect(gaveUp).rejects.toBe(broken);
    window.leave();
    await expect(next).resolves.toBeUndefined();
  });
});
