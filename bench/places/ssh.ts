import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { startOpenSsh } from '../../test/servers/openssh.ts';
import type { Place } from '../place.ts';
import { pour } from '../push.ts';
import { obscure } from '../rclone.ts';

/** Debian's OpenSSH server. */
export async function startSsh(): Promise<Place> {
  const server = await startOpenSsh();
  const { host, password, user } = server;
  const hidden = await obscure(password);
  const askPass = join(dirname(server.home), 'ask-pass');
  await writeFile(askPass, '#!/bin/sh\nprintf "%s\\n" "$SSH_PASSWORD"\n', { mode: 0o700 });

  return {
    type: 'ssh',
    server: 'OpenSSH',
    address: { host, port: server.port },
    settings: (line, folder) => ({
      SSH_HOST_NAME: host,
      SSH_PORT: line.port,
      SSH_USER: user,
      SSH_PASSWORD: password,
      SSH_HOST_KEY: server.fingerprint,
      SSH_REMOTE_PATH: folder,
    }),
    rclone: (line) => ({
      root: '',
      options: {
        TYPE: 'sftp',
        HOST: host,
        PORT: `${line.port}`,
        USER: user,
        PASS: hidden,
      },
    }),
    async push(line, path, bytes) {
      const options = [
        'StrictHostKeyChecking=no',
        'UserKnownHostsFile=/dev/null',
        'PreferredAuthentications=password',
        'LogLevel=ERROR',
      ].flatMap((option) => ['-o', option]);
      const command = `mkdir -p '${dirname(path)}' && cat > '${path}'`;
      const args = ['-F', 'none', ...options, '-p', `${line.port}`, `${user}@${host}`, command];
      const ssh = spawn('ssh', args, {
        stdio: ['pipe', 'ignore', 'inherit'],
        env: {
          PATH: process.env.PATH,
          SSH_ASKPASS: askPass,
          SSH_ASKPASS_REQUIRE: 'force',
          SSH_PASSWORD: password,
        },
      });
      const ended = once(ssh, 'exit');
      await pour(ssh.stdin, bytes);
      const [status] = await ended;
      if (status !== 0) throw new Error(`ssh ended with ${status}.`);
    },
    sizeOf: async (path) => (await stat(join(server.home, path))).size,
    remove: (path) => rm(join(server.home, path), { force: true }),
    stop: server.remove,
  };
}
