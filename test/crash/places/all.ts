import { mkdir } from 'node:fs/promises';
import { startAzurePlace } from './azure.ts';
import { startDropboxPlace } from './dropbox.ts';
import type { CrashPlace } from './place.ts';
import { startS3Place } from './s3.ts';
import { startSshPlace } from './ssh.ts';
import { startWebDavPlace } from './webdav.ts';

const STARTS: Readonly<Record<string, (scratch: string) => Promise<CrashPlace>>> = {
  s3: startS3Place,
  webdav: startWebDavPlace,
  ssh: startSshPlace,
  azure: startAzurePlace,
  dropbox: startDropboxPlace,
};

/** The types that there is a server for. */
export const TYPES: readonly string[] = Object.keys(STARTS);

/** @param scratch a folder for what servers keep */
export async function startPlace(type: string, scratch: string): Promise<CrashPlace> {
  const start = STARTS[type];
  if (!start) throw new Error(`There is no server for a type ${type}.`);
  await mkdir(scratch, { recursive: true });
  return start(scratch);
}
