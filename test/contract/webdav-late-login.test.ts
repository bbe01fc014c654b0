import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { NEVER } from '../../functions/core/stopping.ts';
import { startApache } from '../servers/apache.ts';
import { type Front, type React, type Seen, startFront } from '../servers/http-front.ts';
import { startNginx } from '../servers/nginx-dav.ts';
import { startSabre } from '../servers/sabredav.ts';
import type { WebDavServer } from '../servers/webdav-server.ts';
import { failure } from './failure.ts';
import { BYTES, deliverSample, FILE } from './webdav-delivery.ts';
import { openWith, rememberingSurroundings, settingsOf, through } from './webdav-subject.ts';

const FOLDER =
  '<multistatus xmlns="DAV:"><response><href>/dav/</href><propstat><prop><resourcetype><collection/></resourcetype></prop><status>HTTP/1.1 200 OK</status></propstat></response></multistatus>';
const isStranger = ({ headers }: Seen) => headers.authorization === undefined;

/** Strangers may look, and only see the folder itself. */
const letsLook: React = (seen) => {
  if (seen.method !== 'PROPFIND' || !isStranger(seen)) return undefined;
  return seen.path === '/dav/' ? { status: 207, body: FOLDER } : { status: 404 };
};
/** And it does not show by MKCOL either that a login is needed. */
const hidesIt: React = (seen, body) =>
  seen.method === 'MKCOL' && isStranger(seen) ? { status: 405 } : letsLook(seen, body);

async function behind(server: WebDavServer, react: React): Promise<Front> {
  const front = await startFront(new URL(server.url).origin);
  front.react(react);
  return front;
}

const waysShown = (front: Front) =>
  new Set(front.seen.map(({ headers }) => headers.authorization?.replace(/ .*/, '')));

it.each([
  ['when anything is made', letsLook],
  ['when a file is written', hidesIt],
] as const)('a server that wants Digest only %s never sees the password', async (_, react) => {
  const server = await startSabre({ auth: 'digest' });
  const front = await behind(server, react);
  const destination = await openWith(settingsOf(server, through(front, server)));
  await deliverSample(destination);
  expect(await readFile(join(server.folder, FILE.path))).toEqual(BYTES);
  expect(waysShown(front)).toEqual(new Set([undefined, 'Digest']));
  await destination.close();
  await front.stop();
  await server.stop();
});

it('a file that goes in one piece begins again where only it is asked for a login', async () => {
  const server = await startNginx();
  const surroundings = rememberingSurroundings();
  const front = await behind(server, () => undefined);
  const settings = settingsOf(server, through(front, server));
  const first = await openWith(settings, surroundings);
  await first.capabilities(NEVER);
  await first.close();
  front.react(hidesIt);
  const destination = await openWith(settings, surroundings);
  const file = { ...FILE, path: 'site.tar' };
  expect(await failure(deliverSample(destination, file))).toMatchObject({
    code: 'upload-lost',
    retry: 'now',
  });
  await deliverSample(destination, file);
  expect(await readFile(join(server.folder, file.path))).toEqual(BYTES);
  await destination.close();
  await front.stop();
  await server.stop();
});

it('a login that nobody asks for is not sent where everybody could read it', async () => {
  const server = await startApache({ auth: 'none' });
  const front = await behind(server, () => undefined);
  const login = { WEBDAV_USERNAME: 'ann', WEBDAV_PASSWORD: 'geheim' };
  const destination = await openWith({ WEBDAV_URL: through(front, server), ...login });
  await deliverSample(destination);
  expect(await readFile(join(server.folder, FILE.path))).toEqual(BYTES);
  expect(waysShown(front)).toEqual(new Set([undefined]));
  await destination.close();
  await front.stop();
  await server.stop();
});
