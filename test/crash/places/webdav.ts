import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { filesBelow } from '../../contract/ssh-subject.ts';
import { readByCurl } from '../../end-to-end/clients.ts';
import { startApache } from '../../servers/apache.ts';
import type { Seen } from '../../servers/http-front.ts';
import { startFronted } from './fronted.ts';
import { type CrashPlace, partAt } from './place.ts';
import { sizeOnDisk } from './ssh.ts';

const run = promisify(execFile);

/** Apache's mod_dav. */
export async function startWebDavPlace(): Promise<CrashPlace> {
  const server = await startApache();
  const { username, password } = server;

  return {
    name: 'webdav',
    type: 'webdav',
    server: 'Apache mod_dav',
    client: 'curl',
    bytesAtOnce: 8 * 1024 ** 2,
    async open(folder, watch) {
      const { origin, wire, close } = await startFronted(server.url, nameOf, watch);
      const at = (path: string) => join(server.folder, folder, path);
      return {
        wire,
        close,
        settings: {
          WEBDAV_URL: `${origin}${new URL(server.url).pathname}`,
          WEBDAV_PATH: folder,
          WEBDAV_USERNAME: username,
          WEBDAV_PASSWORD: password,
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
          return (await filesBelow(at(''))).map((path) => relative(at(''), path)).sort();
        },
      };
    },
    halt: server.halt,
    start: server.start,
    stop: server.stop,
  };
}

function nameOf({ method, path, headers }: Seen): string | undefined {
  if (path.includes('.ferry-probe-')) return method === 'GET' ? undefined : `trial ${method}`;
  switch (method) {
    case 'MKCOL':
      return 'folder made';
    case 'MOVE':
      return 'publish';
    case 'DELETE':
      return 'removed';
    case 'PUT':
      return partAt(Number(/^bytes (\d+)-/.exec(headers['content-range'] ?? '')?.[1] ?? 0));
    default:
      return undefined;
  }
}
