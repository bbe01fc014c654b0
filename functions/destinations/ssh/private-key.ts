import ssh2 from 'ssh2';
import type { Problem } from '../../core/problem.ts';
import { Secret } from '../../core/secret.ts';

/** A private key that was read once and found usable. */
export interface PrivateKey {
  readonly text: Secret;
  readonly passphrase: Secret | undefined;
}

/**
 * Takes the text of a private key in OpenSSH, PEM or PuTTY form. Line ends may be real, Windows' or
 * a literal `\n`, as environment files have them. A passphrase for a key that has none is ignored.
 */
export function readPrivateKey(
  given: Secret,
  passphrase: Secret | undefined,
): { key: PrivateKey } | { problem: Problem } {
  const text = `${given.reveal().replaceAll('\\n', '\n').replaceAll('\r', '').trim()}\n`;
  if (!text.trim().includes('\n') && /^(~|\.{0,2}[/\\]|[A-Za-z]:\\)/.test(text)) {
    return refuse(
      'This looks like the name of a file, which Ferry cannot read.',
      'Paste the text of the private key itself, from -----BEGIN to the last line.',
    );
  }
  const key = ssh2.utils.parseKey(text, passphrase?.reveal());
  if (!(key instanceof Error)) {
    if (key.isPrivateKey()) return { key: { text: new Secret(text), passphrase } };
    return refuse(
      'This is a public key.',
      'Paste the private key: the file of the same name without ".pub".',
    );
  }
  if (/no passphrase given/.test(key.message)) {
    return refuse('The key is encrypted.', 'Give its passphrase in SSH_IDENTITY_PASSPHRASE.');
  }
  if (/decrypt|integrity check|bad passphrase/i.test(key.message)) {
    return {
      problem: {
        path: 'SSH_IDENTITY_PASSPHRASE',
        problem: 'The passphrase does not open the key of SSH_IDENTITY_FILE.',
        remedy: 'Correct the passphrase, or paste the key again.',
      },
    };
  }
  return refuse(
    'This is not a private key that Ferry can read.',
    'Paste a key of type Ed25519, ECDSA or RSA in OpenSSH, PEM or PuTTY form, with all its lines.',
  );
}

function refuse(problem: string, remedy: string): { problem: Problem } {
  return { problem: { path: 'SSH_IDENTITY_FILE', problem, remedy } };
}
