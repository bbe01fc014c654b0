import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { OpenSshServer } from '../servers/openssh.ts';
import type { S3Server } from '../servers/s3-server.ts';
import type { WebDavServer } from '../servers/webdav-server.ts';

/** Debian packages with the clients that are asked. */
export const packages = ['curl', 'openssh-client', 'rclone'] as const;

const run = promisify(execFile);
/** Settings of whoever runs this do not reach the clients. */
const QUIET = { PATH: process.env.PATH ?? '' };

/** What OpenSSH's `sftp` gets from below the login directory. */
export async function readBySftp(server: OpenSshServer, path: string): Promise<Buffer> {
  return inFolder(async (folder) => {
    const into = join(folder, 'got');
    const askPass = join(folder, 'ask-pass');
    await writeFile(askPass, '#!/bin/sh\nprintf "%s\\n" "$SFTP_PASSWORD"\n', { mode: 0o700 });
    const knownHosts = join(folder, 'known_hosts');
    const { host, port } = server;
    await writeFile(knownHosts, `[${host}]:${port} ${server.hostKeys.ed25519.line}\n`);
    const env = {
      ...QUIET,
      SSH_ASKPASS: askPass,
      SSH_ASKPASS_REQUIRE: 'force',
      SFTP_PASSWORD: server.password,
    };
    const options = [
      `UserKnownHostsFile=${knownHosts}`,
      'HostKeyAlgorithms=ssh-ed25519',
      'PreferredAuthentications=password',
    ].flatMap((option) => ['-o', option]);
    const to = ['-q', '-P', `${port}`, ...options, `${server.user}@${host}`];
    const getting = run('sftp', to, { env });
    getting.child.stdin?.end(`get "${path}" "${into}"\n`);
    await getting;
    return readFile(into);
  });
}

/** What rclone copies from a bucket. */
export async function readByRclone(server: S3Server, path: string): Promise<Buffer> {
  return inFolder(async (folder) => {
    const into = join(folder, 'got');
    const env = {
      ...QUIET,
      RCLONE_CONFIG: '/dev/null',
      RCLONE_CONFIG_PLACE_TYPE: 's3',
      RCLONE_CONFIG_PLACE_PROVIDER: 'Other',
      RCLONE_CONFIG_PLACE_ENDPOINT: server.endpoint,
      RCLONE_CONFIG_PLACE_REGION: server.region,
      RCLONE_CONFIG_PLACE_ACCESS_KEY_ID: server.accessKeyId,
      RCLONE_CONFIG_PLACE_SECRET_ACCESS_KEY: server.secretAccessKey,
    };
    await run('rclone', ['copyto', `place:${path}`, into], { env });
    return readFile(into);
  });
}

/** What curl downloads from below the address of a WebDAV server. */
export async function readByCurl(server: WebDavServer, path: string): Promise<Buffer> {
  return inFolder(async (folder) => {
    const into = join(folder, 'got');
    const { url, username, password } = server;
    const names = path.split('/').map(encodeURIComponent).join('/');
    const user = `${username}:${password}`;
    const options = ['--silent', '--show-error', '--fail', '--user', user, '--output', into];
    await run('curl', [...options, `${url}/${names}`], { env: QUIET });
    return readFile(into);
  });
}

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'ferry-client-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
