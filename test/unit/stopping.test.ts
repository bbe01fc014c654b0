import { setTimeout as wait } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { sideBySide } from '../../functions/core/stopping.ts';

it('what goes side by side gives its results in order', async () => {
  const slow = wait(10).then(() => 'slow');
  expect(await sideBySide([slow, 7, undefined])).toEqual(['slow', 7, undefined]);
});

it('where some of it fails all has ended, and the first failure of the list is told', async () => {
  let ended = false;
  const work = [
    wait(20).then(() => Promise.reject(new Error('first of the list'))),
    Promise.reject(new Error('first in time')),
    wait(40).then(() => {
      ended = true;
    }),
  ];
  await expect(sideBySide(work)).rejects.toThrow('first of the list');
  expect(ended).toBe(true);
});
