import ssh2 from 'ssh2';

/** Encrypts the private key; without it the key is plain. */
export interface Passphrase {
  readonly cipher: string;
  readonly passphrase: string;
  readonly rounds: number;
}

/**
 * A new ed25519 key pair in OpenSSH form.
 *
 * About 1 of 250 that ssh2 1.17.0 generates cannot be read again, by itself or by others
 * ("Malformed OpenSSH private key", measured over 2,000): such a pair is thrown away.
 */
export function generateSshKey(encryption?: Passphrase): { private: string; public: string } {
  for (;;) {
    const pair = encryption
      ? ssh2.utils.generateKeyPairSync('ed25519', encryption)
      : ssh2.utils.generateKeyPairSync('ed25519');
    const read = ssh2.utils.parseKey(pair.private, encryption?.passphrase);
    if (!(read instanceof Error)) return pair;
  }
}
