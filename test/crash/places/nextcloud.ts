import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { filesBelow } from '../../contract/ssh-subject.ts';
import { readByCurl } from '../../end-to-end/clients.ts';
import type { Seen } from '../../servers/http-front.ts';
import { startNextcloudFake } from '../../servers/nextcloud-fake.ts';
import { startFronted } from './fronted.ts';
import type { Place } from './place.ts';
import { sizeOnDisk } from './ssh.ts';

/** The fake of Nextcloud, which takes chunks. */
export async function startNextcloudPlace(): Promise<Place> {
  const server = await startNextcloudFake();
  const { username, password } = server;

  return {
    name: 'nextcloud',
    type: 'webdav',
    server: 'fake of Nextcloud',
    client: 'curl',
    bytesAtOnce: 10 * 1024 ** 2,
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
        },
        sizeOf: (path) => sizeOnDisk(at(path)),
        read: (path) => readByCurl(server, `${folder}/${path}`),
        async contents() {
          const files = (await filesBelow(at(''))).map((path) => relative(at(''), path));
          const chunks = await readdir(server.uploads, { recursive: true });
          return [...files.sort(), ...chunks];
        },
      };
    },
    stop: server.stop,
  };
}

/** Chunks have their number for a name. */
function nameOf({ method, path }: Seen): string | undefined {
  const chunk = /\/uploads\/.*\/(\d+)$/.exec(path)?.[1];
  if (method === 'PUT' && chunk !== undefined) return `part ${Number(chunk)}`;
  if (method === 'PUT') return 'file put';
  if (method === 'MKCOL') return 'folder made';
  if (method === 'MOVE') return 'publish';
  return method === 'DELETE' ? 'removed' : undefined;
}
