import { expect, it } from 'vitest';
import { MiB } from '../../functions/core/parts.ts';
import { NEVER } from '../../functions/core/stopping.ts';
import { startApache } from '../servers/apache.ts';
import { startFront } from '../servers/http-front.ts';
import { recordTrips } from './round-trips.ts';
import { digestOf, sampleBytes } from './sample.ts';
import { deliverSample, FILE } from './webdav-delivery.ts';
import { openWith, rememberingSurroundings, settingsOf, through } from './webdav-subject.ts';

const BYTES = sampleBytes(MiB, 'one part');
const SMALL = { ...FILE, path: 'html/small.tar', size: MiB };

it('takes seven round trips for an archive of one part, on a server that is known', async () => {
  const server = await startApache();
  const front = await startFront(new URL(server.url).origin);
  const surroundings = rememberingSurroundings();
  const settings = settingsOf(server, through(front, server));
  const first = await openWith(settings, surroundings);
  await first.capabilities(NEVER);
  await deliverSample(first);
  await first.close();

  const trips = recordTrips(front, ({ method, path }) => {
    const isOurs = path.includes('/.ferry-');
    return `${method} ${isOurs ? 'temporary' : path.endsWith('.tar') ? 'final' : 'folder'}`;
  });
  const destination = await openWith(settings, surroundings);
  await destination.capabilities(NEVER);
  const plan = { size: MiB, partSize: MiB, count: 1 };
  const upload = await destination.begin(SMALL, plan, NEVER);
  await upload.writePart({ number: 0, offset: 0, length: MiB, bytes: BYTES }, NEVER);
  await upload.checkpoint();
  await upload.finish(digestOf(BYTES), NEVER);
  await destination.close();

  expect(trips()).toEqual([
    // How to log in.
    ['PROPFIND folder'],
    ['MKCOL folder', 'PROPFIND final'],
    ['PUT temporary'],
    // For the checkpoint, too: what the final name shows before.
    ['PROPFIND final', 'PROPFIND temporary'],
    ['PROPFIND final', 'PROPFIND temporary'],
    ['MOVE temporary'],
    ['PROPFIND final'],
  ]);
  await front.stop();
  await server.stop();
});
