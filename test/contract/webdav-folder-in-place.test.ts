import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MiB } from '../../functions/core/parts.ts';
import { NEVER } from '../../functions/core/stopping.ts';
import { startApache } from '../servers/apache.ts';
import { startNextcloudFake } from '../servers/nextcloud-fake.ts';
import { startNginx } from '../servers/nginx-dav.ts';
import { startSabre } from '../servers/sabredav.ts';
import type { WebDavServer } from '../servers/webdav-server.ts';
import { failure } from './failure.ts';
import { digestOf, sampleBytes } from './sample.ts';
import { FILE, sendSample, BYTES as WHOLE } from './webdav-delivery.ts';
import { askDav } from './webdav-request.ts';
import { openWith, settingsOf } from './webdav-subject.ts';

const REFUSED = { code: 'name-refused', retry: 'never', scope: 'archive' };
const PLACE = FILE.path.replace(' ', '%20');
const BYTES = sampleBytes(MiB, 'one part');

async function makePhotos(server: WebDavServer): Promise<void> {
  for (const path of ['/html', `/${PLACE}`]) await askDav(server, 'MKCOL', `${path}/`);
  await askDav(server, 'PUT', `/${PLACE}/precious.jpg`, {}, 'the only copy');
}

describe.each([
  ['Apache', () => startApache()],
  ['SabreDAV', () => startSabre()],
  ['nginx', () => startNginx()],
  ['Nextcloud', () => startNextcloudFake()],
] as const)('a folder with the name of an archive, at %s', (_, start) => {
  const precious = (server: WebDavServer) =>
    readFile(join(server.folder, FILE.path, 'precious.jpg'), 'utf8');

  it('is told before anything is sent, and stays', async () => {
    const server: WebDavServer = await start();
    const destination = await openWith(settingsOf(server));
    await makePhotos(server);
    const error = await failure(sendSample(destination));
    expect(error).toMatchObject(REFUSED);
    expect(error.message).toContain('rename or remove the folder');
    expect(await precious(server)).toBe('the only copy');
    expect(await readdir(join(server.folder, 'html'))).toEqual(['site one.tar']);
    await destination.close();
    await server.stop();
  });

  it('stays when it comes while the archive is sent', async () => {
    const server: WebDavServer = await start();
    const destination = await openWith(settingsOf(server));
    const upload = await sendSample(destination);
    await makePhotos(server);
    expect(await failure(upload.finish(digestOf(WHOLE), NEVER))).toMatchObject(REFUSED);
    expect(await precious(server)).toBe('the only copy');
    await destination.close();
    await server.stop();
  });

  it('stays when the archive has one part', async () => {
    const server: WebDavServer = await start();
    const destination = await openWith(settingsOf(server));
    const plan = { size: MiB, partSize: MiB, count: 1 };
    const upload = await destination.begin({ ...FILE, size: MiB }, plan, NEVER);
    await upload.writePart({ number: 0, offset: 0, length: MiB, bytes: BYTES }, NEVER);
    await makePhotos(server);
    expect(await failure(upload.finish(digestOf(BYTES), NEVER))).toMatchObject(REFUSED);
    expect(await precious(server)).toBe('the only copy');
    await destination.close();
    await server.stop();
  });
});
