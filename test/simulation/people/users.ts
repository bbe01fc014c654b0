import type { Nature } from '../cloud/environment.ts';
import { openAzureServer } from '../destinations/azure.ts';
import { openDropboxServer } from '../destinations/dropbox.ts';
import { openS3Server } from '../destinations/s3.ts';
import type { Publication, Server, ServerSite } from '../destinations/server.ts';
import { openSshServer } from '../destinations/ssh.ts';
import { openWebDavServer, openWholeWebDavServer } from '../destinations/webdav.ts';
import { CRONS, type UserSpec } from './people.ts';

const KINDS = [
  openS3Server,
  openAzureServer,
  openDropboxServer,
  openSshServer,
  openWebDavServer,
  openWholeWebDavServer,
] as const;

interface Scale {
  /** Bytes of a part. */
  readonly part: number;
  /** How long a worker lives, in ms. */
  readonly timeoutMs: number;
}

/** A few users with a few destinations each, and the servers behind them. */
export function inviteUsers(
  nature: Nature,
  { part, timeoutMs }: Scale,
  servers: Map<string, Server>,
  observe: (place: string, publication: Publication) => void,
): ReadonlyMap<string, UserSpec> {
  const { random } = nature;
  const users = new Map<string, UserSpec>();
  for (let user = random.between(1, 3); user > 0; user--) {
    const destinations: UserSpec['destinations'] = new Map();
    for (let number = random.between(1, 2); number > 0; number--) {
      const name = `place-${number}`;
      const place = `user-${user}/${name}`;
      const condition = { password: 'password-0', isFull: false };
      const site: ServerSite = {
        nature,
        name: place,
        part,
        condition,
        // Some are so slow that an archive takes several invocations.
        partMs: random.chance(0.5) ? random.between(10, 500) : random.between(500, timeoutMs / 12),
        trait: random.chance(0.5),
        observe: (publication) => observe(place, { ...publication, server }),
      };
      const server: Server = random.pick(KINDS)(site);
      servers.set(place, server);
      destinations.set(name, {
        type: server.kind,
        enabled: true,
        password: condition.password,
        verify: random.pick(['size', 'checksum', 'readback']),
      });
    }
    users.set(`user-${user}`, {
      enabled: true,
      cron: random.pick(CRONS),
      backUp: 'everything',
      destinations,
      isBroken: false,
      exists: true,
    });
  }
  return users;
}
