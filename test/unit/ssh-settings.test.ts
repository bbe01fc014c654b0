import { inspect } from 'node:util';
import ssh2 from 'ssh2';
import { describe, expect, it } from 'vitest';
import { splitIssue } from '../../functions/destinations/setting.ts';
import { sshSchema, toSshSettings } from '../../functions/destinations/ssh/settings.ts';
import { generateSshKey } from '../../local/ssh-key.ts';

const PASSPHRASE = 'open sesame';
const plainKey = generateSshKey();
const encryptedKey = generateSshKey({
  cipher: 'aes256-ctr',
  passphrase: PASSPHRASE,
  rounds: 4,
});
const least = { SSH_HOST_NAME: 'nas.example.com', SSH_USER: 'ann', SSH_PASSWORD: 'pw' };

function settingsOf(given: Record<string, unknown>) {
  const parsed = toSshSettings(sshSchema.parse(given));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.value;
}

function problemOf(given: Record<string, unknown>) {
  const parsed = sshSchema.safeParse(given);
  if (!parsed.success) {
    const [found] = parsed.error.issues;
    return { path: found?.path.join('.'), ...splitIssue(found?.message ?? '') };
  }
  const settings = toSshSettings(parsed.data);
  return settings.ok ? undefined : settings.problems[0];
}

describe('settings of an SSH destination', () => {
  it('need no more than a host, a user and a password', () => {
    const settings = settingsOf(least);
    expect(settings).toMatchObject({
      host: 'nas.example.com',
      port: 22,
      user: 'ann',
      remotePath: '',
    });
    expect(settings.password?.reveal()).toBe('pw');
    expect(settings.hostKeys.accepted).toEqual([]);
  });

  it.each([
    ['nas', 'nas'],
    [' 10.0.0.7\n', '10.0.0.7'],
    ['2001:db8::1', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1%eth0'],
  ])('take the host %j as %s', (given, host) => {
    expect(settingsOf({ ...least, SSH_HOST_NAME: given }).host).toBe(host);
  });

  it.each(['nas:22', 'sftp://nas', 'ann@nas', 'nas/backups', 'two words'])(
    'refuse the host %j and say what belongs elsewhere',
    (host) => {
      expect(problemOf({ ...least, SSH_HOST_NAME: host })).toMatchObject({
        path: 'SSH_HOST_NAME',
        remedy: expect.stringContaining('settings of their own'),
      });
    },
  );

  it.each([0, 65_536, '22x', 2.5])('refuse the port %j', (port) => {
    expect(problemOf({ ...least, SSH_PORT: port })?.path).toBe('SSH_PORT');
  });

  it.each([
    ['~', ''],
    ['~/backups', 'backups'],
    ['/srv/backups', '/srv/backups'],
    ['~ann', '~ann'],
  ])('read the remote path %j as %j', (given, path) => {
    expect(settingsOf({ ...least, SSH_REMOTE_PATH: given }).remotePath).toBe(path);
  });

  it('ask for a password or a key when there is neither', () => {
    const { SSH_PASSWORD: _, ...neither } = least;
    expect(problemOf(neither)?.problem).toBe('There is neither a password nor a private key.');
  });

  it('keep spaces of a password, which may be part of it', () => {
    expect(settingsOf({ ...least, SSH_PASSWORD: ' a b \n' }).password?.reveal()).toBe(' a b ');
  });

  it('show no secret when they are printed', () => {
    const settings = settingsOf({ ...least, SSH_IDENTITY_FILE: plainKey.private });
    const printed = inspect(settings, { depth: 9, showHidden: true }) + JSON.stringify(settings);
    expect(printed).not.toContain('pw');
    expect(printed).not.toContain(plainKey.private.slice(50, 90));
  });
});

/** The same key, asking for so many rounds of bcrypt; the number follows a salt of 16 bytes. */
function withRounds(key: string, rounds: number): string {
  const bytes = Buffer.from(key.replaceAll(/-----.*-----/g, ''), 'base64');
  const salt = bytes.indexOf('bcrypt') + 'bcrypt'.length + 4;
  bytes.writeUInt32BE(rounds, salt + 4 + bytes.readUInt32BE(salt));
  const lines = bytes.toString('base64').match(/.{1,70}/g) ?? [];
  const kind = 'OPENSSH PRIVATE KEY';
  return `-----BEGIN ${kind}-----\n${lines.join('\n')}\n-----END ${kind}-----\n`;
}

describe('the private key', () => {
  const withKey = (key: string, passphrase?: string) => ({
    ...least,
    SSH_IDENTITY_FILE: key,
    ...(passphrase !== undefined && { SSH_IDENTITY_PASSPHRASE: passphrase }),
  });

  it.each([
    ['as ssh-keygen wrote it', plainKey.private],
    ['with Windows line ends', plainKey.private.replaceAll('\n', '\r\n')],
    ['with \\n spelled out', plainKey.private.trim().replaceAll('\n', '\\n')],
    ['without its last line end', plainKey.private.trim()],
  ])('is taken %s', (_, key) => {
    const text = settingsOf(withKey(key)).privateKey?.text.reveal() ?? '';
    expect(ssh2.utils.parseKey(text)).not.toBeInstanceOf(Error);
  });

  it('opens with its passphrase, and ignores one that it does not need', () => {
    expect(settingsOf(withKey(encryptedKey.private, PASSPHRASE)).privateKey).toBeDefined();
    expect(settingsOf(withKey(plainKey.private, 'not needed')).privateKey).toBeDefined();
  });

  it.each([
    [
      'needs its passphrase',
      encryptedKey.private,
      undefined,
      'The key in SSH_IDENTITY_FILE is encrypted, and this is missing.',
    ],
    [
      'does not cost whoever reads settings as much time as its maker wanted',
      withRounds(encryptedKey.private, 2 ** 32 - 1),
      PASSPHRASE,
      'Opening the key takes more than 128 rounds of its key derivation.',
    ],
    ['is not the public key', plainKey.public, undefined, 'This is a public key.'],
    [
      'is not cut off',
      plainKey.private.slice(0, 200),
      undefined,
      'This is not a private key that Ferry can read.',
    ],
    ['is not just anything', 'secret', undefined, 'This is not a private key that Ferry can read.'],
  ])('%s', (_, key, passphrase, problem) => {
    expect(problemOf(withKey(key, passphrase))).toMatchObject({ problem });
  });
});
