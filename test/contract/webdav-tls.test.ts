import { afterAll, beforeAll, expect, it } from 'vitest';
import { startApache } from '../servers/apache.ts';
import type { WebDavServer } from '../servers/webdav-server.ts';
import { deliverSmall } from './effects/effect.ts';
import { failure } from './failure.ts';
import { trust } from './trust.ts';
import { openWith, settingsOf } from './webdav-subject.ts';

const NAMES = {
  insecure: 'WEBDAV_URL_INSECURE',
  authority: 'WEBDAV_URL_CA_CERT',
  address: 'WEBDAV_URL',
};

trust('webdav', NAMES, async () => {
  const server = await startApache();
  const { origin, pathname } = new URL(server.url);
  return {
    origin,
    settingsAt: (at) => settingsOf(server, `${at}${pathname}`),
    stop: server.stop,
  };
});

let server: WebDavServer;
beforeAll(async () => {
  server = await startApache();
});
afterAll(() => server.stop());

it('https to a port that speaks http is explained', async () => {
  const destination = await openWith(settingsOf(server, server.url.replace('http:', 'https:')));
  const error = await failure(deliverSmall(destination));
  await destination.close();
  expect(error).toMatchObject({ code: 'protocol', retry: 'never' });
  expect(error.message).toMatch(/WEBDAV_URL with http/);
});
