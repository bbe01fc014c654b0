import { chmod, mkdir, mkdtemp, open, readFile, rm, unlink, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { inspect } from 'node:util';
import ssh2 from 'ssh2';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { FerryError } from '../../functions/core/errors.ts';
import { MiB, partRange } from '../../functions/core/parts.ts';
import type { CheckStep, Destination, Upload } from '../../functions/destinations/contract.ts';
import { startSftpServer } from '../../local/sftp-server.ts';
import { generateSshKey } from '../../local/ssh-key.ts';
import { type FaultProxy, startFaultProxy } from '../servers/fault-proxy.ts';
import { type OpenSshServer, startOpenSsh } from '../servers/openssh.ts';
import { digestOf, sampleBytes } from './sample.ts';
import { filesBelow, openWith, type Settings } from './ssh-subject.ts';

const NEVER = new AbortController().signal;
const ID = '0123456789abcdef';
const bytes = sampleBytes(5 * MiB + 123, 'an archive');
const plan = { size: bytes.length, partSize: MiB, count: 6 };
const file = (path: string) => ({ path, size: bytes.length, transferId: ID });

/** Everything that failed in this file: at the end no secret may be found in any of it. */
const failures: unknown[] = [];
const secrets: string[] = [];
const opened: Destination[] = [];

async function openTracked(settings: Settings): Promise<Destination> {
  const destination = await openWith(settings);
  opened.push(destination);
  return destination;
}

async function failure(work: Promise<unknown>): Promise<FerryError> {
  const error = await work.then(
    () => new Error('It did not fail'),
    (thrown: unknown) => thrown,
  );
  failures.push(error);
  if (!(error instanceof FerryError)) throw error;
  return error;
}

async function checked(destination: Destination): Promise<CheckStep[]> {
  const steps: CheckStep[] = [];
  for await (const step of destination.check(NEVER)) steps.push(step);
  failures.push(...steps.flatMap(({ error }) => error ?? []));
  return steps;
}

/** Listens on a free port of loopback. */
async function portOf(server: {
  listen(port: number, host: string): unknown;
  address(): AddressInfo | string | null;
  once(event: 'listening', listener: () => void): unknown;
}): Promise<number> {
  server.listen(0, '127.0.0.1');
  await new Promise<void>((resolve) => server.once('listening', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('No port');
  return address.port;
}

async function writeParts(upload: Upload, from: number, to: number, signal = NEVER): Promise<void> {
  for (let number = from; number < to; number++) {
    const range = partRange(plan, number);
    const part = bytes.subarray(range.offset, range.offset + range.length);
    await upload.writePart({ ...range, bytes: part }, signal);
  }
}

async function deliver(destination: Destination, path: string) {
  const upload = await destination.begin(file(path), plan, NEVER);
  await writeParts(upload, 0, plan.count);
  return upload.finish(digestOf(bytes), NEVER);
}

describe('an SSH destination on OpenSSH', () => {
  let server: OpenSshServer;
  let proxy: FaultProxy;
  let byPassword: Settings;
  let byKey: Settings;
  const place = (path: string) => join(server.home, 'place', path);
  const temporary = (name: string) => place(`.${name}.${ID}.part`);

  beforeAll(async () => {
    server = await startOpenSsh();
    proxy = await startFaultProxy({ to: server });
    const reach = {
      SSH_HOST_NAME: server.host,
      SSH_PORT: String(server.port),
      SSH_USER: server.user,
      SSH_HOST_KEY: server.fingerprint,
      SSH_REMOTE_PATH: 'place',
    };
    byPassword = { ...reach, SSH_PASSWORD: server.password };
    byKey = {
      ...reach,
      SSH_IDENTITY_FILE: server.privateKey,
      SSH_IDENTITY_PASSPHRASE: server.passphrase,
    };
    const keyText = server.privateKey.split('\n')[2] ?? '';
    secrets.push(server.password, server.passphrase, keyText, 'wrong-and-secret');
  });
  afterEach(async () => {
    proxy.set({});
    await Promise.all(opened.splice(0).map((destination) => destination.close()));
  });
  afterAll(async () => {
    await proxy.stop();
    await server.remove();
  });

  const throughProxy = () => openTracked({ ...byPassword, SSH_PORT: String(proxy.port) });

  describe('logs in', () => {
    it('with an encrypted key and its passphrase', async () => {
      await deliver(await openTracked(byKey), 'by-key.bin');
      expect(await readFile(place('by-key.bin'))).toEqual(bytes);
    });

    it('never with a passphrase that does not open the key', async () => {
      const wrong = { ...byKey, SSH_IDENTITY_PASSPHRASE: 'wrong-and-secret' };
      expect(await failure((await openTracked(wrong)).stat('x', NEVER))).toMatchObject({
        code: 'setting-invalid',
        retry: 'never',
      });
    });

    it('with the password where the server does not take the key', async () => {
      const foreign = generateSshKey().private;
      const destination = await openTracked({ ...byPassword, SSH_IDENTITY_FILE: foreign });
      expect(await destination.stat('absent', NEVER)).toBeUndefined();
    });

    it.each([
      ['a wrong password', { SSH_PASSWORD: 'wrong-and-secret' }],
      ['a user that does not exist', { SSH_USER: 'nobody-here' }],
    ])('never with %s', async (_, wrong) => {
      const destination = await openTracked({ ...byPassword, ...wrong });
      expect(await failure(destination.stat('x', NEVER))).toMatchObject({
        code: 'auth-refused',
        retry: 'never',
      });
    });
  });

  describe('knows the server by its host key', () => {
    it.each([
      ['its fingerprint', () => server.hostKeys.ed25519.fingerprint],
      ['its public key', () => server.hostKeys.ed25519.line],
      [
        'its line of known_hosts',
        () => `[127.0.0.1]:${server.port} ${server.hostKeys.ed25519.line}`,
      ],
      ['a key that is not its first', () => server.hostKeys.ecdsa.line],
      ['one of two', () => `SHA256:${'A'.repeat(43)},${server.hostKeys.ed25519.fingerprint}`],
    ])('pinned as %s', async (_, key) => {
      const destination = await openTracked({ ...byPassword, SSH_HOST_KEY: key() });
      expect(await destination.stat('absent', NEVER)).toBeUndefined();
    });

    it('and shows it to be confirmed where none is pinned', async () => {
      const { SSH_HOST_KEY: _, ...unpinned } = byPassword;
      const destination = await openTracked(unpinned);
      const error = await failure(destination.stat('x', NEVER));
      expect(error).toMatchObject({ code: 'host-key-unknown', retry: 'never' });
      expect(error.message).toContain(`ssh-ed25519 ${server.fingerprint}`);
      const steps = await checked(destination);
      const names = steps.map(({ step }) => step);
      expect(names).toEqual(['name lookup', 'address', 'TCP connection', 'host key']);
      // What there is to be confirmed, for whoever pins it.
      expect(steps.at(-1)).toMatchObject({
        detail: `ssh-ed25519 ${server.fingerprint}`,
        error: { code: 'host-key-unknown' },
      });
    });

    it('and stops where it is another one, or one that was revoked', async () => {
      const pinned = `SHA256:${'A'.repeat(43)}`;
      const changed = await openTracked({ ...byPassword, SSH_HOST_KEY: pinned });
      const error = await failure(changed.stat('x', NEVER));
      expect(error).toMatchObject({ code: 'host-key-changed', retry: 'never' });
      expect(error.message).toContain(pinned);
      expect(error.message).toContain(server.fingerprint);
      const revoked = await openTracked({
        ...byPassword,
        SSH_HOST_KEY: `${server.hostKeys.ecdsa.line}\n@revoked * ${server.hostKeys.ecdsa.line}`,
      });
      expect(await failure(revoked.stat('x', NEVER))).toMatchObject({ code: 'host-key-changed' });
    });
  });

  describe('survives', () => {
    it('a connection that is cut in the middle of a part', async () => {
      const destination = await throughProxy();
      const upload = await destination.begin(file('cut.bin'), plan, NEVER);
      await writeParts(upload, 0, 2);
      const checkpoint = await upload.checkpoint();
      proxy.set({ cutAfter: 2.5 * MiB });
      expect(await failure(writeParts(upload, 2, 4))).toMatchObject({ retry: 'now' });
      expect(await failure(upload.checkpoint())).toMatchObject({ retry: 'now' });
      proxy.set({});
      const resumed = await destination.resume(file('cut.bin'), plan, checkpoint ?? null, NEVER);
      expect(resumed.held).toBe(2);
      await writeParts(resumed, 2, plan.count);
      await resumed.finish(digestOf(bytes), NEVER);
      expect(await readFile(place('cut.bin'))).toEqual(bytes);
    });

    it('a server that dies in mid-transfer and comes back', async () => {
      const destination = await openTracked(byPassword);
      const upload = await destination.begin(file('died.bin'), plan, NEVER);
      await writeParts(upload, 0, 3);
      const checkpoint = await upload.checkpoint();
      await server.stop();
      try {
        expect(await failure(writeParts(upload, 3, 4))).toMatchObject({ retry: 'now' });
        const away = destination.resume(file('died.bin'), plan, checkpoint ?? null, NEVER);
        expect(await failure(away)).toMatchObject({ code: 'unreachable', retry: 'later' });
      } finally {
        await server.start();
      }
      const resumed = await destination.resume(file('died.bin'), plan, checkpoint ?? null, NEVER);
      expect(resumed.held).toBe(3);
      await writeParts(resumed, 3, plan.count);
      expect(await resumed.finish(digestOf(bytes), NEVER)).toMatchObject({ verified: 'checksum' });
      expect(await readFile(place('died.bin'))).toEqual(bytes);
    });

    it('a server that falls silent: an abort ends the work within a second, and closing does too', async () => {
      const destination = await throughProxy();
      const upload = await destination.begin(file('silent.bin'), plan, NEVER);
      await writeParts(upload, 0, 1);
      proxy.set({ blackHole: true });
      const stopping = new AbortController();
      const writing = failure(writeParts(upload, 1, 3, stopping.signal));
      const reading = failure(destination.stat('x', stopping.signal));
      await wait(200);
      const stoppedAt = performance.now();
      stopping.abort();
      expect(await writing).toMatchObject({ code: 'aborted' });
      expect(await reading).toMatchObject({ code: 'aborted' });
      expect(performance.now() - stoppedAt).toBeLessThan(1000);
      await destination.close();
      expect(performance.now() - stoppedAt).toBeLessThan(4000);
    });
  });

  describe('proves what it delivered', () => {
    it('by the checksum that the server computes', async () => {
      const { sha256 } = digestOf(bytes);
      expect(await deliver(await openTracked(byPassword), `it's "proven" $(x).bin`)).toEqual({
        verified: 'checksum',
        how: 'sha256sum on the server',
        remotePath: place(`it's "proven" $(x).bin`),
        size: bytes.length,
        checksum: sha256,
      });
    });

    it('and shows nothing when a byte changed on the disk', async () => {
      const destination = await openTracked(byPassword);
      const upload = await destination.begin(file('rotten.bin'), plan, NEVER);
      await writeParts(upload, 0, plan.count - 1);
      const disk = await open(temporary('rotten.bin'), 'r+');
      await disk.write(Buffer.from([(bytes[4096] ?? 0) ^ 1]), 0, 1, 4096);
      await disk.close();
      await writeParts(upload, plan.count - 1, plan.count);
      const error = await failure(upload.finish(digestOf(bytes), NEVER));
      expect(error).toMatchObject({ code: 'corrupted', retry: 'now' });
      expect((await filesBelow(place(''))).filter((path) => path.includes('rotten'))).toEqual([]);
    });

    it('and takes no older file of the same size for its own', async () => {
      const destination = await openTracked(byPassword);
      const older = sampleBytes(bytes.length, 'an older archive');
      await mkdir(place(''), { recursive: true });
      await writeFile(place('same-size.bin'), older);
      await wait(1100);
      const upload = await destination.begin(file('same-size.bin'), plan, NEVER);
      await writeParts(upload, 0, plan.count);
      const checkpoint = await upload.checkpoint();
      await unlink(temporary('same-size.bin'));
      const finishing = failure(upload.finish(digestOf(bytes), NEVER));
      expect(await finishing).toMatchObject({ code: 'upload-lost', retry: 'now' });
      const resuming = destination.resume(file('same-size.bin'), plan, checkpoint ?? null, NEVER);
      expect(await failure(resuming)).toMatchObject({ code: 'upload-lost', retry: 'now' });
      expect(await readFile(place('same-size.bin'))).toEqual(older);
    });
  });

  describe('names', () => {
    it('of 255 bytes fit, also while the file grows', async () => {
      const name = `${'ä'.repeat(125)}.tars`;
      await deliver(await openTracked(byPassword), name);
      expect(await readFile(place(name))).toEqual(bytes);
    });

    it.each(['n'.repeat(256), '../outside.bin', 'a//b'])(
      'such as %j are refused before a byte is sent',
      async (name) => {
        const destination = await openTracked(byPassword);
        expect(await failure(destination.begin(file(name), plan, NEVER))).toMatchObject({
          code: 'name-refused',
          retry: 'never',
          scope: 'archive',
        });
      },
    );
  });

  it('says that permission is missing, and where', async () => {
    await mkdir(join(server.home, 'locked'));
    await chmod(join(server.home, 'locked'), 0o555);
    const destination = await openTracked({ ...byPassword, SSH_REMOTE_PATH: 'locked' });
    const error = await failure(destination.begin(file('x.bin'), plan, NEVER));
    expect(error).toMatchObject({ code: 'permission-denied', retry: 'never' });
    expect(error.message).toContain('locked');
    const steps = await checked(destination);
    expect(steps.at(-1)).toMatchObject({ step: 'write', error: { code: 'permission-denied' } });
  });

  it('says that a file is in the way of the folder', async () => {
    await writeFile(join(server.home, 'a-file'), 'x');
    const destination = await openTracked({ ...byPassword, SSH_REMOTE_PATH: 'a-file/below' });
    const error = await failure(destination.begin(file('x.bin'), plan, NEVER));
    expect(error).toMatchObject({ retry: 'never' });
  });

  it('leaves no folder behind when it tests a connection', async () => {
    const destination = await openTracked({ ...byPassword, SSH_REMOTE_PATH: 'not/there/yet' });
    const steps = await checked(destination);
    expect(steps.filter(({ error }) => error)).toEqual([]);
    await expect(readFile(join(server.home, 'not'))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('an SSH destination elsewhere', () => {
  const settings = (port: number, more: Settings = {}) => ({
    SSH_HOST_NAME: '127.0.0.1',
    SSH_PORT: String(port),
    SSH_USER: 'ann',
    SSH_PASSWORD: 'marked-secret',
    SSH_HOST_KEY: `SHA256:${'A'.repeat(43)}`,
    ...more,
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((destination) => destination.close()));
  });

  it('answers a server that asks for the password by keyboard-interactive alone', async () => {
    const root = await mkdtemp(join(tmpdir(), 'ferry-sftp-'));
    const server = await startSftpServer({
      root,
      users: { ann: 'marked-secret' },
      method: 'keyboard-interactive',
    });
    secrets.push('marked-secret');
    try {
      const pinned = { SSH_HOST_KEY: server.fingerprint };
      await deliver(await openTracked(settings(server.port, pinned)), 'html/site.tar');
      expect(await readFile(join(root, 'ann/html/site.tar'))).toEqual(bytes);
      const wrong = await openTracked(settings(server.port, { ...pinned, SSH_PASSWORD: 'wrong' }));
      expect(await failure(wrong.stat('x', NEVER))).toMatchObject({ code: 'auth-refused' });
    } finally {
      await server.stop();
      await rm(root, { recursive: true });
    }
  });

  it('says that nothing answers at the port, or that the name is unknown', async () => {
    const probe = createServer();
    const port = await portOf(probe);
    await new Promise((resolve) => probe.close(resolve));
    const nobody = await openTracked(settings(port));
    const refused = await failure(nobody.stat('x', NEVER));
    expect(refused).toMatchObject({ code: 'unreachable', retry: 'later' });
    expect(refused.message).toContain('SSH_PORT');

    const unknown = await openTracked(settings(22, { SSH_HOST_NAME: 'no-such-host.invalid' }));
    const lookup = await failure(unknown.stat('x', NEVER));
    expect(lookup).toMatchObject({ code: 'unreachable', retry: 'later' });
    expect(lookup.message).toContain('SSH_HOST_NAME');
  });

  it('says that something else than SSH answers', async () => {
    const web = createServer((socket) => socket.resume().end('HTTP/1.1 400\r\n\r\n'));
    const port = await portOf(web);
    try {
      const destination = await openTracked(settings(port));
      expect(await failure(destination.stat('x', NEVER))).toMatchObject({
        code: 'unreachable',
        retry: 'later',
      });
    } finally {
      await new Promise((resolve) => web.close(resolve));
    }
  });

  /** A server that lets everybody in and gives no SFTP, in one way or another. */
  async function withoutSftp(onSession: (session: ssh2.Session) => void) {
    const { private: hostKey } = generateSshKey();
    const server = new ssh2.Server({ hostKeys: [hostKey] }, (client) => {
      client.on('error', () => {});
      client.on('authentication', (context) => context.accept());
      client.on('session', (accept) => onSession(accept()));
    });
    const port = await portOf(server);
    const key = ssh2.utils.parseKey(hostKey);
    if (key instanceof Error) throw key;
    const pinned = `ssh-ed25519 ${key.getPublicSSH().toString('base64')}`;
    try {
      const destination = await openTracked(settings(port, { SSH_HOST_KEY: pinned }));
      return await failure(destination.stat('x', NEVER));
    } finally {
      server.close();
    }
  }

  it('says that SFTP is switched off', async () => {
    const error = await withoutSftp(() => {});
    expect(error).toMatchObject({ code: 'protocol', retry: 'never' });
    expect(error.message).toContain('SFTP');
  });

  it('does not wait for ever for a server that takes the login and then does nothing', async () => {
    const error = await withoutSftp((session) => session.on('sftp', () => {}));
    expect(error).toMatchObject({ code: 'timeout', retry: 'later' });
  });
});

describe('no error', () => {
  it('shows a secret', () => {
    expect(failures.length).toBeGreaterThan(20);
    expect(secrets.length).toBeGreaterThan(4);
    for (const error of failures) {
      const shown = inspect(error, { depth: 5, showHidden: true }) + JSON.stringify(error);
      for (const secret of secrets) expect(shown).not.toContain(secret);
    }
  });
});
