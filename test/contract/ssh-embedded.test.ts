import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSftpServer } from '../../local/sftp-server.ts';
import { conformance } from './conformance.ts';
import { sshSubject } from './ssh-subject.ts';

const SERVERS = [
  ['the embedded SFTP server', 'password'],
  ['a server that knows keyboard-interactive alone', 'keyboard-interactive'],
] as const;

for (const [name, method] of SERVERS) {
  conformance(`SSH on ${name}`, async () => {
    const root = await mkdtemp(join(tmpdir(), 'ferry-sftp-'));
    const password = 'marked-secret-of-ann';
    const server = await startSftpServer({ root, users: { ann: password }, method });
    return sshSubject({
      settings: {
        SSH_HOST_NAME: server.host,
        SSH_PORT: String(server.port),
        SSH_USER: 'ann',
        SSH_PASSWORD: password,
        SSH_HOST_KEY: server.fingerprint,
        SSH_REMOTE_PATH: 'backups/here',
      },
      folder: join(root, 'ann/backups/here'),
      openFull: { notHere: 'it writes to the disk of this machine' },
      secrets: [password],
      async stop() {
        await server.stop();
        await rm(root, { recursive: true });
      },
    });
  });
}
