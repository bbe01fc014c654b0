import { join } from 'node:path';
import { MiB } from '../../functions/core/parts.ts';
import { startOpenSsh } from '../servers/openssh.ts';
import { conformance } from './conformance.ts';
import { openWith, sshSubject } from './ssh-subject.ts';

for (const sftpOnly of [false, true]) {
  const kind = sftpOnly ? 'OpenSSH that allows SFTP alone' : 'OpenSSH';
  conformance(`SSH on ${kind}`, async () => {
    const server = await startOpenSsh({ sftpOnly, smallFolderBytes: 6 * MiB });
    const settings = {
      SSH_HOST_NAME: server.host,
      SSH_PORT: String(server.port),
      SSH_USER: server.user,
      SSH_PASSWORD: server.password,
      SSH_HOST_KEY: server.fingerprint,
      SSH_REMOTE_PATH: 'backups/here',
    };
    return sshSubject({
      settings,
      folder: join(server.home, 'backups/here'),
      openFull: () => openWith({ ...settings, SSH_REMOTE_PATH: 'small' }),
      secrets: [server.password, server.passphrase],
      stop: server.remove,
    });
  });
}
