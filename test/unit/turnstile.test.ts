import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createTurnstile } from '../../functions/destinations/http/turnstile.ts';

it('lets so many through at once and all in the end, whatever some of them throw', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.boolean(), { maxLength: 30 }),
      async (places, works) => {
        const inTurn = createTurnstile(places);
        let under = 0;
        let most = 0;
        const started: number[] = [];
        const outcomes = await Promise.allSettled(
          works.map((succeeds, n) =>
            inTurn(async () => {
              started.push(n);
              under += 1;
              most = Math.max(most, under);
              await turn();
              under -= 1;
              if (!succeeds) throw new Error('refused');
            }),
          ),
        );
        expect(most).toBe(Math.min(places, works.length));
        expect(started).toEqual(works.map((_, n) => n));
        expect(outcomes.map((one) => one.status === 'fulfilled')).toEqual(works);
      },
    ),
  );
});
