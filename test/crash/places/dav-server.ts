import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { filesBelow } from '../../contract/ssh-subject.ts';
import { readByCurl } from '../../end-to-end/clients.ts';
import type { Seen } from '../../servers/http-front.ts';
import type { WebDavServer } from '../../servers/webdav-server.ts';
import { startFronted } from './fronted.ts';
import type { Place } from './place.ts';
import { sizeOnDisk } from './ssh.ts';

const run = promisify(execFile);

export interface DavServer {
  readonly name: string;
  /** The server as people call it. */
  readonly called: string;
  readonly server: WebDavServer;
  readonly bytesAtOnce: number;
  readonly hopBytes: number;
  /** What a request is called; undefined for one that changes nothing. */
  nameOf(seen: Seen): string | undefined;
  /** Unfinished things that are kept elsewhere. */
  unfinished?(): Promise<readonly string[]>;
}

/** A WebDAV server that stores its files as such. */
export function davPlace(options: DavServer): Place {
  const { name, called, server, bytesAtOnce, hopBytes, nameOf, unfinished } = options;
  return {
    name,
    type: 'webdav',
    server: called,
    client: 'curl',
    bytesAtOnce,
    hopBytes,
    async open(folder, watch) {
      const { origin, wire, close } = await startFronted(server.url, nameOf, watch);
      const at = (path: string) => join(server.folder, folder, path);
      return {
        wire,
        close,
        settings: {
          WEBDAV_URL: `${origin}${new URL(server.url).pathname}`,
          WEBDAV_PATH: folder,
          WEBDAV_USERNAME: server.username,
          WEBDAV_PASSWORD: server.password,
        },
        async put(path, bytes) {
          await mkdir(dirname(at(path)), { recursive: true });
          await writeFile(at(path), bytes);
          // The server's own user is to replace it.
          await run('chown', ['-R', '--reference', server.folder, at('')]);
        },
        sizeOf: (path) => sizeOnDisk(at(path)),
        read: (path) => readByCurl(server, `${folder}/${path}`),
        async contents() {
          const files = (await filesBelow(at(''))).map((path) => relative(at(''), path));
          return [...files.sort(), ...((await unfinished?.()) ?? [])];
        },
      };
    },
    stop: server.stop,
  };
}
