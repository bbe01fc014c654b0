import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { StartServer } from './destination-server.ts';
import { BACKUP_FOLDER } from './users.ts';
import { startWebDavServer } from './webdav-server.ts';

/** A WebDAV server of somebody else's, with a folder for each login. */
export const startWebDavDestination: StartServer = async (logins, folder) => {
  const users = Object.fromEntries(logins.map(({ userId, password }) => [userId, password]));
  const server = await startWebDavServer({ root: folder, users });
  return {
    type: 'webdav',
    address: server.url,
    lookAt: (userId) => `ls -R ${join(folder, userId, BACKUP_FOLDER)}`,
    settingsFor: (userId, password) => ({
      WEBDAV_URL: server.url,
      WEBDAV_PATH: BACKUP_FOLDER,
      WEBDAV_USERNAME: userId,
      WEBDAV_PASSWORD: password,
    }),
    async read({ userId, password }, path, sink, signal) {
      const login = Buffer.from(`${userId}:${password}`).toString('base64');
      const url = `${server.url}/${path.split('/').map(encodeURIComponent).join('/')}`;
      const headers = { authorization: `Basic ${login}` };
      const { ok, status, body } = await fetch(url, { headers, signal });
      if (!ok || !body) throw new Error(`The server answers ${status} for ${path}.`);
      await pipeline(Readable.fromWeb(body), sink, { signal });
    },
    [Symbol.asyncDispose]: () => server.stop(),
  };
};
