import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Debian packages that must be there: the server, its key tool, and what makes and finds users and processes. */
export const packages = ['openssh-server', 'openssh-client', 'passwd', 'mount'] as const;

export interface OpenSshOptions {
  /** Allows SFTP alone, as many hosts do: no command is run. */
  readonly sftpOnly?: boolean;
  /** Mounts a file system of so many bytes as the folder `small` in the login directory. */
  readonly smallFolderBytes?: number;
  /** The command that speaks SFTP, as the user and by a shell; sshd's own unless given. */
  readonly sftpCommand?: string;
  /** New keys are agreed upon each time that so many bytes have passed. */
  readonly rekeyBytes?: number;
}

/** A public key of the server, as text and as `SHA256:…`. */
export interface PublicHostKey {
  /** `ssh-ed25519 AAAA…` */
  readonly line: string;
  readonly fingerprint: string;
}

export interface OpenSshServer {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** Text of the user's private key, encrypted. */
  readonly privateKey: string;
  readonly passphrase: string;
  /** The login directory, to look at files without SSH. */
  readonly home: string;
  readonly hostKeys: { readonly ed25519: PublicHostKey; readonly ecdsa: PublicHostKey };
  /** Of the Ed25519 key, which clients are shown first. */
  readonly fingerprint: string;
  /** Kills the server and every session of it at once. */
  stop(): Promise<void>;
  /** Starts it again, at the same port and with the same keys. */
  start(): Promise<void>;
  /** Stops it and takes back the user, the mount and all files. */
  remove(): Promise<void>;
}

/** Runs Debian's OpenSSH server on loopback, with a user, keys and a configuration of its own. Needs root. */
export async function startOpenSsh(options: OpenSshOptions = {}): Promise<OpenSshServer> {
  if (process.getuid?.() !== 0) throw new Error('OpenSSH lets users in only when it runs as root.');
  const folder = await mkdtemp(join(tmpdir(), 'ferry-openssh-'));
  await run('chmod', ['755', folder]);
  const home = join(folder, 'home');
  const user = `ferry${randomBytes(4).toString('hex')}`;
  const password = `pass-${randomBytes(12).toString('hex')}`;
  const passphrase = `phrase-${randomBytes(12).toString('hex')}`;
  const host = '127.0.0.1';
  const port = await freePort(host);

  await makeUser(user, home, password);
  const small = options.smallFolderBytes ? join(home, 'small') : undefined;
  if (small) {
    await mkdir(small);
    await run('mount', ['-t', 'tmpfs', '-o', `size=${options.smallFolderBytes}`, 'tmpfs', small]);
    await run('chown', [`${user}:`, small]);
  }
  const userKey = join(folder, 'user-key');
  await makeKey(userKey, 'ed25519', passphrase);
  const hostKeys = {
    ed25519: await makeKey(join(folder, 'host-ed25519'), 'ed25519', ''),
    ecdsa: await makeKey(join(folder, 'host-ecdsa'), 'ecdsa', ''),
  };
  const configuration = join(folder, 'sshd_config');
  await writeFile(
    configuration,
    [
      `ListenAddress ${host}:${port}`,
      `HostKey ${join(folder, 'host-ed25519')}`,
      `HostKey ${join(folder, 'host-ecdsa')}`,
      'PidFile none',
      'UsePAM no',
      'PasswordAuthentication yes',
      'KbdInteractiveAuthentication no',
      `AuthorizedKeysFile ${userKey}.pub`,
      'StrictModes no',
      `AllowUsers ${user}`,
      'MaxStartups 100',
      'LogLevel FATAL',
      `Subsystem sftp ${options.sftpCommand ?? 'internal-sftp'}`,
      ...(options.sftpOnly ? ['ForceCommand internal-sftp'] : []),
      ...(options.rekeyBytes ? [`RekeyLimit ${options.rekeyBytes}`] : []),
      '',
    ].join('\n'),
  );
  // Where Debian's sshd keeps the empty folder that it drops privileges in.
  await mkdir('/run/sshd', { recursive: true });

  let server: ChildProcess | undefined;
  const killServer = () => server?.kill('SIGKILL');
  process.once('exit', killServer);
  const start = async () => {
    server = spawn('/usr/sbin/sshd', ['-D', '-e', '-f', configuration], { stdio: 'inherit' });
    await listening(host, port, server);
  };
  const stop = async () => {
    if (server?.pid === undefined || server.exitCode !== null) return;
    const exited = once(server, 'exit');
    for (const pid of await familyOf(server.pid)) kill(pid);
    await exited;
    server = undefined;
  };
  await start();

  return {
    host,
    port,
    user,
    password,
    privateKey: await readFile(userKey, 'utf8'),
    passphrase,
    home,
    hostKeys,
    fingerprint: hostKeys.ed25519.fingerprint,
    start,
    stop,
    async remove() {
      await stop();
      if (small) await run('umount', ['-l', small]);
      await untilUnlocked(() => run('userdel', [user]));
      process.off('exit', killServer);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function makeUser(user: string, home: string, password: string): Promise<void> {
  await mkdir(home);
  await untilUnlocked(() =>
    run('useradd', ['--no-create-home', '--home-dir', home, '--shell', '/bin/sh', user]),
  );
  await run('chown', [`${user}:`, home]);
  await untilUnlocked(async () => {
    const setting = run('chpasswd');
    setting.child.stdin?.end(`${user}:${password}\n`);
    await setting;
  });
}

/** Several servers may be started at once, and the user database takes one change at a time. */
async function untilUnlocked(change: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await change();
      return;
    } catch (error) {
      if (attempt === 20) throw error;
      await wait(100);
    }
  }
}

async function makeKey(path: string, type: string, passphrase: string): Promise<PublicHostKey> {
  await run('ssh-keygen', ['-q', '-t', type, '-N', passphrase, '-C', '', '-f', path]);
  const { stdout } = await run('ssh-keygen', ['-lf', `${path}.pub`]);
  const line = (await readFile(`${path}.pub`, 'utf8')).trim();
  return { line, fingerprint: stdout.split(' ')[1] ?? '' };
}

async function freePort(host: string): Promise<number> {
  const probe = createServer().listen(0, host);
  await once(probe, 'listening');
  const address = probe.address();
  if (address === null || typeof address === 'string') throw new Error('No free port');
  probe.close();
  await once(probe, 'close');
  return address.port;
}

async function listening(host: string, port: number, server: ChildProcess): Promise<void> {
  for (;;) {
    if (server.exitCode !== null) throw new Error(`sshd ended with status ${server.exitCode}`);
    const socket = createConnection({ host, port });
    const answers = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (answers) return;
    await wait(20);
  }
}

/** A process and all below it, itself first; sessions of sshd outlive their parent otherwise. */
async function familyOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  const children = text.split(' ').filter(Boolean).map(Number);
  return [pid, ...(await Promise.all(children.map(familyOf))).flat()];
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself meanwhile.
  }
}
