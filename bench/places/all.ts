import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { packages as clients } from '../../test/end-to-end/clients.ts';
import { packages as apache } from '../../test/servers/apache.ts';
import { packages as certificates } from '../../test/servers/certificates.ts';
import { packages as openssh } from '../../test/servers/openssh.ts';
import { packages as swift } from '../../test/servers/swift.ts';
import type { Place } from '../place.ts';
import { startAzure } from './azure.ts';
import { startDropbox } from './dropbox.ts';
import { startS3 } from './s3.ts';
import { startSsh } from './ssh.ts';
import { startWebDav } from './webdav.ts';

/** Debian packages of the servers, and rclone. */
export const packages: readonly string[] = [
  ...[...apache, ...certificates, ...clients, ...openssh, ...swift],
];

/** The server of each type. */
export const PLACES: Readonly<Record<string, (scratch: string) => Promise<Place>>> = {
  ssh: startSsh,
  webdav: startWebDav,
  s3: startS3,
  azure: startAzure,
  dropbox: startDropbox,
};

/** Does something with the server of each type, one after the other. */
export async function forEachPlace(
  types: readonly string[],
  scratch: string,
  work: (place: Place) => Promise<void>,
): Promise<void> {
  for (const type of types) {
    const folder = join(scratch, type);
    await mkdir(folder);
    const start = PLACES[type];
    if (!start) throw new Error(`There is no server of type ${type}.`);
    const place = await start(folder);
    try {
      await work(place);
    } finally {
      await place.stop();
    }
  }
}
