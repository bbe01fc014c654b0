import fc from 'fast-check';
import { expect, it } from 'vitest';
import { openGate } from '../../functions/transfer/gate.ts';

it('parts start in order, never more than the width at once, whatever order they come in', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 7], { minLength: 8 }),
      fc.integer({ min: 1, max: 4 }),
      fc.scheduler(),
      async (order, width, scheduler) => {
        const gate = openGate(0, width);
        const started: number[] = [];
        let inside = 0;
        const passing = order.map(async (number) => {
          await scheduler.schedule(Promise.resolve());
          await gate.pass(number, async () => {
            started.push(number);
            inside += 1;
            expect(inside).toBeLessThanOrEqual(width);
            await scheduler.schedule(Promise.resolve());
            inside -= 1;
          });
        });
        await scheduler.waitFor(Promise.all(passing));
        expect(started).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
      },
    ),
  );
});

it('a closed gate turns away who waits and who comes later', async () => {
  const gate = openGate(0, 1);
  const inside = Promise.withResolvers<void>();
  const first = gate.pass(0, () => inside.promise);
  const waiting = gate.pass(1, async () => {});
  gate.close(new Error('closed'));
  await expect(waiting).rejects.toThrow('closed');
  await expect(gate.pass(2, async () => {})).rejects.toThrow('closed');
  inside.resolve();
  await expect(first).resolves.toBeUndefined();
});

it('a part that fails makes room for the next one', async () => {
  const gate = openGate(0, 1);
  const failing = gate.pass(0, () => Promise.reject(new Error('broken')));
  const next = gate.pass(1, async () => {});
  await expect(failing).rejects.toThrow('broken');
  await expect(next).resolves.toBeUndefined();
});
