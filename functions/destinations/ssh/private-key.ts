import ssh2, { type ParsedKey } from 'ssh2';
import { FerryError } from '../../core/errors.ts';
import type { Problem } from '../../core/problem.ts';
import { Secret } from '../../core/secret.ts';

/** A private key that was read once and found usable. */
export interface PrivateKey {
  readonly text: Secret;
  readonly passphrase: Secret | undefined;
}

/**
 * Rounds of the key derivation (bcrypt) that opening a key may take. `ssh-keygen` writes 16 or 24;
 * ssh2 needs about 20 ms of CPU for each round in JavaScript.
 */
const MOST_ROUNDS = 128;

/**
 * Takes the text of a private key in OpenSSH, PEM or PuTTY form. Line ends may be real, Windows' or
 * a literal `\n`, as environment files have them. A passphrase for a key that has none is ignored.
 *
 * An encrypted key is not opened here, since that takes as long as its maker wanted and settings are
 * read where others wait; a wrong passphrase shows when the key is used (`unlockPrivateKey`).
 */
export function readPrivateKey(
  given: Secret,
  passphrase: Secret | undefined,
): { key: PrivateKey } | { problem: Problem } {
  const text = `${given.reveal().replaceAll('\\n', '\n').replaceAll('\r', '').trim()}\n`;
  const key = ssh2.utils.parseKey(text);
  if (!(key instanceof Error)) {
    if (key.isPrivateKey()) return { key: { text: new Secret(text), passphrase: undefined } };
    return refuse(
      'This is a public key.',
      'Paste the private key: the file of the same name without ".pub".',
    );
  }
  if (!/no passphrase given/.test(key.message)) {
    return refuse(
      'This is not a private key that Ferry can read.',
      'Paste a key of type Ed25519, ECDSA or RSA in OpenSSH, PEM or PuTTY form with all its lines, or name a staged file.',
    );
  }
  if (!passphrase) {
    const problem = 'The key in SSH_IDENTITY_FILE is encrypted, and this is missing.';
    return {
      problem: { path: 'SSH_IDENTITY_PASSPHRASE', problem, remedy: 'Give its passphrase.' },
    };
  }
  if (roundsOf(text) > MOST_ROUNDS) {
    return refuse(
      `Opening the key takes more than ${MOST_ROUNDS} rounds of its key derivation.`,
      'Encrypt it anew with fewer: ssh-keygen -p -a 24 -f <file>.',
    );
  }
  return { key: { text: new Secret(text), passphrase } };
}

/** What is wrong with a private key by itself, whatever its passphrase is. */
export function checkPrivateKey(given: Secret): Problem | undefined {
  const read = readPrivateKey(given, new Secret('?'));
  return 'problem' in read ? read.problem : undefined;
}

/**
 * Opens a private key, which may take seconds of CPU where it is encrypted.
 * @throws FerryError `setting-invalid` when the passphrase does not open it
 */
export function unlockPrivateKey({ text, passphrase }: PrivateKey): ParsedKey {
  const key = ssh2.utils.parseKey(text.reveal(), passphrase?.reveal());
  if (!(key instanceof Error)) return key;
  throw new FerryError(
    'setting-invalid',
    'SSH_IDENTITY_PASSPHRASE does not open the key of SSH_IDENTITY_FILE. ' +
      'Correct the passphrase, or paste the key again.',
    { retry: 'never' },
  );
}

/**
 * Rounds that an OpenSSH key asks for; 0 in other forms, which have no such number.
 * https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.key
 */
function roundsOf(text: string): number {
  const [, base64 = ''] = text.match(/-----BEGIN OPENSSH PRIVATE KEY-----([^-]*)/) ?? [];
  const bytes = Buffer.from(base64, 'base64');
  let at = 'openssh-key-v1\0'.length;
  const next = (): Buffer => {
    const start = at + 4;
    at = start + (start <= bytes.length ? bytes.readUInt32BE(at) : 0);
    return bytes.subarray(start, at);
  };
  next(); // cipher
  if (next().toString('latin1') !== 'bcrypt') return 0;
  const options = next();
  const saltEnd = options.length >= 4 ? 4 + options.readUInt32BE(0) : options.length;
  return options.length >= saltEnd + 4 ? options.readUInt32BE(saltEnd) : 0;
}

function refuse(problem: string, remedy: string): { problem: Problem } {
  return { problem: { path: 'SSH_IDENTITY_FILE', problem, remedy } };
}
