import { createConnection } from 'node:net';
import { join } from 'node:path';
import SftpClient from 'ssh2-sftp-client';
import type { DestinationServer, StartServer } from './destination-server.ts';
import { type SftpServer, startSftpServer } from './sftp-server.ts';
import { BACKUP_FOLDER } from './users.ts';

/** An SFTP server with one folder for each login. */
export const startSshDestination: StartServer = async (logins, root) => {
  const users = Object.fromEntries(logins.map(({ userId, password }) => [userId, password]));
  return sshDestination(await startSftpServer({ root, users }), root);
};

/** @param root holds one folder for each user of the server */
export function sshDestination(server: SftpServer, root: string): DestinationServer {
  const { host, port, fingerprint } = server;
  return {
    type: 'ssh',
    address: `${host}:${port}, host key ${fingerprint}`,
    lookAt: (userId) => `ls -R ${join(root, userId, BACKUP_FOLDER)}`,
    settingsFor: (userId, password) => ({
      SSH_HOST_NAME: host,
      SSH_PORT: port,
      SSH_USER: userId,
      SSH_PASSWORD: password,
      SSH_REMOTE_PATH: BACKUP_FOLDER,
      SSH_HOST_KEY: fingerprint,
    }),
    async read({ userId: username, password }, path, sink, signal) {
      const client = new SftpClient();
      // Left to Nagle's algorithm, each of the thousands of reads takes 40 ms.
      const sock = createConnection({ host, port, noDelay: true, signal });
      try {
        await client.connect({ sock, username, password });
        await client.get(path, sink);
      } finally {
        await client.end();
      }
    },
    [Symbol.asyncDispose]: () => server.stop(),
  };
}
