import { execFile } from 'node:child_process';
import { mkdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { startApache } from '../../test/servers/apache.ts';
import { BASE_PATH } from '../../test/servers/webdav-server.ts';
import type { Line, Place } from '../place.ts';
import { sendBytes } from '../push.ts';
import { obscure } from '../rclone.ts';

const run = promisify(execFile);

/** Its own limit is 1 GiB, and rclone sends a file in one request. */
const MOST_BODY = 64 * 1024 ** 3;

/** Apache's mod_dav. */
export async function startWebDav(): Promise<Place> {
  const server = await startApache({ mostBodyBytes: MOST_BODY });
  const { username, password } = server;
  const { hostname: host, port } = new URL(server.url);
  const urlAt = ({ port }: Line) => `http://127.0.0.1:${port}${BASE_PATH}`;
  const hidden = await obscure(password);

  return {
    type: 'webdav',
    server: 'Apache mod_dav',
    address: { host, port: Number(port) },
    settings: (line, folder) => ({
      WEBDAV_URL: urlAt(line),
      WEBDAV_PATH: folder,
      WEBDAV_USERNAME: username,
      WEBDAV_PASSWORD: password,
    }),
    rclone: (line) => ({
      root: '',
      options: {
        TYPE: 'webdav',
        URL: urlAt(line),
        VENDOR: 'other',
        USER: username,
        PASS: hidden,
      },
    }),
    async push(line, path, bytes) {
      await mkdir(join(server.folder, dirname(path)), { recursive: true });
      // The server's own user is to write there.
      const [top = ''] = path.split('/');
      await run('chown', ['-R', '--reference', server.folder, join(server.folder, top)]);
      await sendBytes(`${urlAt(line)}/${path}`, bytes, {
        method: 'PUT',
        auth: `${username}:${password}`,
      });
    },
    sizeOf: async (path) => (await stat(join(server.folder, path))).size,
    remove: (path) => rm(join(server.folder, path), { force: true }),
    stop: server.stop,
  };
}
