import { mkdir } from 'node:fs/promises';
import { startAzurePlace } from './azure.ts';
import { startDropboxPlace } from './dropbox.ts';
import { startNextcloudPlace } from './nextcloud.ts';
import type { CrashPlace, Place } from './place.ts';
import { startS3Place } from './s3.ts';
import { startSshPlace } from './ssh.ts';
import { startWebDavPlace } from './webdav.ts';

type Starts<P> = Readonly<Record<string, (scratch: string) => Promise<P>>>;

/** A server of each type that can be killed. */
export const CRASH_PLACES: Starts<CrashPlace> = {
  s3: startS3Place,
  webdav: startWebDavPlace,
  ssh: startSshPlace,
  azure: startAzurePlace,
  dropbox: startDropboxPlace,
};

/** Every server on which a transfer is continued, in each of the ways that there are. */
export const HOP_PLACES: Starts<Place> = {
  ...CRASH_PLACES,
  nextcloud: startNextcloudPlace,
};

/** @param scratch a folder for what the server keeps */
export async function startPlace<P>(starts: Starts<P>, name: string, scratch: string): Promise<P> {
  const start = starts[name];
  if (!start) throw new Error(`There is no server of the name ${name}.`);
  await mkdir(scratch, { recursive: true });
  return start(scratch);
}
