import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { startAzureDestination } from './azure-destination.ts';
import { type DestinationServer, loginsFor, type StartServer } from './destination-server.ts';
import { startDropboxDestination } from './dropbox-destination.ts';
import { startS3Destination } from './s3-destination.ts';
import { startSshDestination } from './ssh-destination.ts';
import type { LocalUser } from './users.ts';
import { startWebDavDestination } from './webdav-destination.ts';

/** How the server of each type is started. */
const STARTS: Readonly<Record<string, StartServer>> = {
  azure: startAzureDestination,
  dropbox: startDropboxDestination,
  s3: startS3Destination,
  ssh: startSshDestination,
  webdav: startWebDavDestination,
};

/** The servers on which users want their archives, by type. */
export interface Destinations extends AsyncDisposable {
  readonly servers: ReadonlyMap<string, DestinationServer>;
}

/**
 * Starts a server for every type that a user asks for.
 * @param root holds what they keep on disk
 */
export async function startDestinations(
  users: readonly LocalUser[],
  root: string,
): Promise<Destinations> {
  await using started = new AsyncDisposableStack();
  const servers = new Map<string, DestinationServer>();
  for (const [type, start] of Object.entries(STARTS)) {
    const logins = loginsFor(type, users);
    if (logins.length === 0) continue;
    const folder = join(root, type);
    await mkdir(folder, { recursive: true });
    servers.set(type, started.use(await start(logins, folder)));
  }
  const running = started.move();
  return { servers, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

/** The server of this type. */
export function serverFor(type: string, { servers }: Destinations): DestinationServer {
  const server = servers.get(type);
  if (server) return server;
  throw new Error(`No server of type ${type} was started.`);
}
