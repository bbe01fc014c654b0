import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import ssh2, { type AuthContext, type Connection } from 'ssh2';
import { serveFolder } from './sftp-folder.ts';
import { generateSshKey } from './ssh-key.ts';

export interface SftpServerOptions {
  /** Holds one folder for each user, made when missing. */
  readonly root: string;
  /** Password by user name. */
  readonly users: Readonly<Record<string, string>>;
  /** A free one unless given. */
  readonly port?: number;
  /** Private key in OpenSSH form; a new one unless given. */
  readonly hostKey?: string;
  /** How a password may be given; `password` unless said otherwise. */
  readonly method?: 'password' | 'keyboard-interactive';
}

export interface SftpServer {
  readonly host: string;
  readonly port: number;
  /** Private key: given to the next start, the server is the same one to its clients. */
  readonly hostKey: string;
  /** `SHA256:…`, as `SSH_HOST_KEY` takes it. */
  readonly fingerprint: string;
  /** Ends every connection in the middle of whatever it does, as a dying server would. */
  stop(): Promise<void>;
}

/** An SFTP server on loopback that needs nothing but Node: each user sees one folder on this disk. */
export async function startSftpServer(options: SftpServerOptions): Promise<SftpServer> {
  const hostKey = options.hostKey ?? generateSshKey().private;
  const ssh = new ssh2.Server({ hostKeys: [hostKey] }, (client) => serve(client, options));
  const sockets = new Set<Socket>();
  const listener = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
    ssh.injectSocket(socket);
  });
  const host = '127.0.0.1';
  listener.listen(options.port ?? 0, host);
  await once(listener, 'listening');
  const address = listener.address();
  if (address === null || typeof address === 'string') throw new Error('No port to listen on');
  return {
    host,
    port: address.port,
    hostKey,
    fingerprint: fingerprintOf(hostKey),
    async stop() {
      const closed = once(listener, 'close');
      listener.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function serve(client: Connection, { root, users, method = 'password' }: SftpServerOptions): void {
  let user = '';
  client.on('error', () => {});
  client.on('authentication', async (context) => {
    const expected = Object.hasOwn(users, context.username) ? users[context.username] : undefined;
    const given = context.method === method ? await passwordOf(context) : undefined;
    if (expected === undefined || given !== expected) {
      context.reject([method]);
      return;
    }
    user = context.username;
    await mkdir(join(root, user), { recursive: true });
    context.accept();
  });
  client.on('session', (acceptSession) => {
    acceptSession().on('sftp', (acceptSftp) => serveFolder(acceptSftp(), join(root, user)));
  });
}

async function passwordOf(context: AuthContext): Promise<string | undefined> {
  if (context.method === 'password') return context.password;
  if (context.method !== 'keyboard-interactive') return undefined;
  const prompt = { prompt: 'Password: ', echo: false };
  const [answer] = await new Promise<string[]>((answered) => context.prompt([prompt], answered));
  return answer;
}

function fingerprintOf(hostKey: string): string {
  const key = ssh2.utils.parseKey(hostKey);
  if (key instanceof Error) throw key;
  const hash = createHash('sha256').update(key.getPublicSSH()).digest('base64');
  return `SHA256:${hash.replace(/=+$/, '')}`;
}
