import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { destinationTypes } from '../../functions/destinations/registry.ts';
import { startAzureEffects } from './effects/azure-effects.ts';
import { startDropboxEffects } from './effects/dropbox-effects.ts';
import type { Effects } from './effects/effect.ts';
import { startS3Effects } from './effects/s3-effects.ts';
import { startSshEffects } from './effects/ssh-effects.ts';
import { startWebDavEffects } from './effects/webdav-effects.ts';

/** Every type that Ferry knows has its servers here. */
const STARTS: Readonly<Record<string, () => Promise<Effects>>> = {
  azure: startAzureEffects,
  dropbox: startDropboxEffects,
  s3: startS3Effects,
  ssh: startSshEffects,
  webdav: startWebDavEffects,
};

describe.each(destinationTypes.map(({ type, settings }) => ({ type, settings })))(
  'a destination of type $type',
  ({ type, settings }) => {
    let started: Effects | undefined;

    beforeAll(async () => {
      started = await STARTS[type]?.();
    });
    afterAll(() => started?.stop());

    it.each(settings)('does what %s says', async (name) => {
      const effect = started?.effects[name];
      if (!started || !effect) throw new Error(`Nobody says what ${name} does.`);
      const { values, seen, observe, beside } = effect;
      expect(seen[0]).not.toEqual(seen[1]);
      for (const which of [0, 1] as const) {
        const observed = await observe({ ...started.base, ...beside, [name]: values[which] });
        expect(observed).toEqual(seen[which]);
      }
    });
  },
);
