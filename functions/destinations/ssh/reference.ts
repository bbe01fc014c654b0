import type { References } from '../reference.ts';
import type { sshSchema } from './settings.ts';

export const sshReference: References<typeof sshSchema> = {
  SSH_HOST_NAME: {
    kind: 'text',
    default: 'required',
    example: 'nas.example.com',
    meaning: 'name or IP address of the server',
  },
  SSH_PORT: { kind: 'number', default: '`22`', example: 22, meaning: '1 to 65535' },
  SSH_USER: { kind: 'text', default: 'required', example: 'alice', meaning: 'who logs in' },
  SSH_PASSWORD: {
    kind: 'secret',
    default: 'none',
    example: 'correct horse battery staple',
    meaning:
      'also the answer where the server asks for it (`keyboard-interactive`). Password, key or both',
  },
  SSH_IDENTITY_FILE: {
    kind: 'secret',
    default: 'none',
    example: '.ferry/id_ed25519',
    meaning:
      'the text of the private key, or the path of a staged file: Ed25519, ECDSA or RSA, in OpenSSH, PEM or PuTTY form',
  },
  SSH_IDENTITY_PASSPHRASE: {
    kind: 'secret',
    default: 'none',
    example: 'open sesame',
    meaning:
      'where the key is encrypted, with up to 128 rounds of its key derivation; whether it opens the key shows in the first run',
  },
  SSH_REMOTE_PATH: {
    kind: 'path',
    default: 'login directory',
    example: '/backups',
    meaning: 'created when missing',
  },
  SSH_HOST_KEY: {
    kind: 'text',
    default: 'none',
    example: 'SHA256:uNiVztksCsDhcc0u9e8BrWH2h1Ku4rYtkqDzmVh3kLQ',
    meaning:
      "the server's key or keys: `SHA256:…` fingerprints, `ssh-ed25519 AAAA…`, or lines of `known_hosts`. Without it nothing is sent: the first run fails and tells the fingerprint that it saw, to be compared and put here. Where the operator lets the first key be trusted, it is remembered instead and compared from then on. A server that shows another key than before ends the run for good; the message has both fingerprints",
  },
};
