import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ssh2, { type AuthContext, type SFTPWrapper } from 'ssh2';
import { describe, expect, it } from 'vitest';
import { type SftpServer, startSftpServer } from '../../local/sftp-server.ts';
import { generateSshKey } from '../../local/ssh-key.ts';
import { startFaultProxy } from '../servers/fault-proxy.ts';
import { everythingIn, formsIn, mark } from './marks.ts';
import { type Told, tryEverything } from './try-everything.ts';

const PASSWORD = mark('ssh');
const PASSPHRASE = mark('phrase');
const KEY = generateSshKey({ cipher: 'aes256-ctr', passphrase: PASSPHRASE, rounds: 4 }).private;
const LINES = KEY.split('\n').filter((line) => line.length > 40);
const MARKS = [PASSWORD, PASSPHRASE, ...LINES];
/** What a server that knows the secrets says wherever it may say something. */
const WORDS = `${PASSWORD} ${PASSPHRASE} ${LINES[0]}`;

const SETTINGS = {
  SSH_USER: 'ann',
  SSH_PASSWORD: PASSWORD,
  SSH_IDENTITY_FILE: KEY,
  SSH_IDENTITY_PASSPHRASE: PASSPHRASE,
};

const shownIn = ({ told, errors }: Told) =>
  [...told, ...errors].flatMap((each) => formsIn(everythingIn(each), MARKS));

/** A server of which everything is right but what it answers once somebody is let in. */
async function withTalkingServer(
  admit: (context: AuthContext) => void,
  serve: (sftp: SFTPWrapper) => void,
  work: (settings: object) => Promise<void>,
): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), 'ferry-marks-'));
  // Makes a host key and its fingerprint.
  const known: SftpServer = await startSftpServer({ root, users: {} });
  await known.stop();
  const sockets = new Set<Socket>();
  const ssh = new ssh2.Server({ hostKeys: [known.hostKey], banner: WORDS }, (client) => {
    client.on('error', () => {});
    client.on('authentication', admit);
    client.on('session', (acceptSession) => {
      const session = acceptSession();
      session.on('sftp', (acceptSftp) => serve(acceptSftp()));
      session.on('exec', (accept) => {
        const channel = accept();
        channel.stderr.write(WORDS);
        channel.end(WORDS);
      });
    });
  });
  const listener = createServer((socket) => {
    sockets.add(socket.on('error', () => {}));
    ssh.injectSocket(socket);
  }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  try {
    await work({ ...SETTINGS, ...at(listener.address()), SSH_HOST_KEY: known.fingerprint });
  } finally {
    listener.close();
    for (const socket of sockets) socket.destroy();
    await rm(root, { recursive: true });
  }
}

function at(address: unknown) {
  const port =
    typeof address === 'object' && address !== null && 'port' in address ? address.port : 0;
  return { SSH_HOST_NAME: '127.0.0.1', SSH_PORT: port };
}

const accept = (context: AuthContext) =>
  context.method === 'password' ? context.accept() : context.reject(['password']);

describe('SSH', () => {
  it.each<[string, (context: AuthContext) => void]>([
    ['refuses everything', (context) => context.reject(['password', 'publickey'])],
    [
      'asks for the password in words that hold it',
      (context) => {
        if (context.method !== 'keyboard-interactive') context.reject(['keyboard-interactive']);
        else context.prompt([{ prompt: WORDS, echo: true }], WORDS, WORDS, () => context.reject());
      },
    ],
  ])('tells no secret to whom it met with a server that %s', async (_what, admit) => {
    await withTalkingServer(
      admit,
      () => {},
      async (settings) => {
        const outcome = await tryEverything('ssh', { ...settings });
        expect(outcome.errors.length).toBeGreaterThan(2);
        expect(shownIn(outcome)).toEqual([]);
      },
    );
  });

  const { FAILURE, NO_SUCH_FILE, PERMISSION_DENIED, OP_UNSUPPORTED } = ssh2.utils.sftp.STATUS_CODE;
  it.each([
    ['a failure', FAILURE],
    ['no such file', NO_SUCH_FILE],
    ['not allowed', PERMISSION_DENIED],
    ['not known', OP_UNSUPPORTED],
    ['a full disk', 14],
    ['a status that nobody knows', 77],
  ])(
    'tells no secret where each answer is %s, in words that hold them all',
    async (_what, status) => {
      const requests = [
        'OPEN',
        'READ',
        'WRITE',
        'FSTAT',
        'FSETSTAT',
        'CLOSE',
        'OPENDIR',
        'READDIR',
      ];
      const others = [
        'LSTAT',
        'STAT',
        'REMOVE',
        'RMDIR',
        'REALPATH',
        'MKDIR',
        'RENAME',
        'EXTENDED',
      ];
      let answers = 0;
      await withTalkingServer(
        accept,
        (sftp) => {
          for (const request of [...requests, ...others]) {
            sftp.on(request, (id: number) => {
              answers += 1;
              sftp.status(id, status, WORDS);
            });
          }
        },
        async (settings) => {
          const outcome = await tryEverything('ssh', { ...settings });
          expect(answers).toBeGreaterThan(0);
          expect(outcome.errors.length).toBeGreaterThan(1);
          expect(shownIn(outcome)).toEqual([]);
        },
      );
    },
  );

  it.each([
    ['says it in place of its version', `SSH-2.0-${WORDS.slice(0, 200)}\r\n`],
    ['says it before its version', `${WORDS}\r\nSSH-2.0-x\r\n`],
    ['says it and no more', WORDS],
  ])('tells no secret to whom it met with a server that %s', async (_what, words) => {
    const listener = createServer((socket) => {
      socket.on('error', () => {}).end(words);
    }).listen(0, '127.0.0.1');
    await once(listener, 'listening');
    try {
      const outcome = await tryEverything('ssh', { ...SETTINGS, ...at(listener.address()) });
      expect(outcome.errors.length).toBeGreaterThan(2);
      expect(shownIn(outcome)).toEqual([]);
    } finally {
      listener.close();
    }
  });

  it('tells no secret where the connection breaks, or the key is of another server', async () => {
    const root = await mkdtemp(join(tmpdir(), 'ferry-marks-'));
    const server = await startSftpServer({ root, users: { ann: PASSWORD } });
    const settings = { ...SETTINGS, SSH_HOST_KEY: server.fingerprint };
    try {
      for (const cutAfter of [10, 1_000, 3_000, 5_000, 20_000]) {
        const proxy = await startFaultProxy({ to: server, faults: { cutAfter } });
        const place = { SSH_HOST_NAME: proxy.host, SSH_PORT: proxy.port };
        const outcome = await tryEverything('ssh', { ...settings, ...place });
        await proxy.stop();
        expect(outcome.errors.length).toBeGreaterThan(0);
        expect(shownIn(outcome)).toEqual([]);
      }
      const there = { SSH_HOST_NAME: server.host, SSH_PORT: server.port };
      const other = `SHA256:${'a'.repeat(43)}`;
      for (const more of [{ SSH_HOST_KEY: other }, { SSH_HOST_KEY: '' }, {}]) {
        const outcome = await tryEverything('ssh', { ...settings, ...there, ...more });
        expect(shownIn(outcome)).toEqual([]);
      }
      const wrong = { SSH_IDENTITY_PASSPHRASE: mark('wrong') };
      const outcome = await tryEverything('ssh', { ...settings, ...there, ...wrong });
      expect(shownIn(outcome)).toEqual([]);
      expect(formsIn(everythingIn(outcome.errors), [wrong.SSH_IDENTITY_PASSPHRASE])).toEqual([]);
    } finally {
      await server.stop();
      await rm(root, { recursive: true });
    }
  });
});
