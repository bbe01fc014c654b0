import { describe, expect, it } from 'vitest';
import { systemClock } from '../../functions/core/clock.ts';

describe('the clock of this machine', () => {
  it('sets a deadline after any time, fractions of a millisecond too', async () => {
    const clock = systemClock(() => 1000);
    const signal = clock.deadline(12.5);
    expect(signal.aborted).toBe(false);
    await clock.pause(100, signal);
    expect(signal.aborted).toBe(true);
  });

  it('ends a pause with the signal that it was given', async () => {
    const clock = systemClock(() => 1000);
    const before = clock.now();
    await clock.pause(60_000, clock.deadline(5));
    expect(clock.now() - before).toBeLessThan(30_000);
  });
});
