import { setTimeout as wait } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { GiB } from '../../functions/core/parts.ts';
import { NEVER } from '../../functions/core/stopping.ts';
import { sendInTime } from '../../functions/destinations/http/deadline.ts';

it.each([1, 64, 70, 100, 5000])('a body of %i GiB is given time', async (size) => {
  const answer = sendInTime(NEVER, size * GiB, async (signal) => {
    await wait(30, undefined, { signal });
    return 'answered';
  });
  expect(await answer).toBe('answered');
});
