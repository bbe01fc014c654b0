import type { Socket } from 'node:net';
import type { AnyAuthMethod, Client, SFTPWrapper } from 'ssh2';
import SftpClient from 'ssh2-sftp-client';
import type { FerryError } from '../../core/errors.ts';
import { hostKeyAlgorithms, offeredKey, refuseHostKey } from './host-key.ts';
import { unlockPrivateKey } from './private-key.ts';
import type { SshSettings } from './settings.ts';

/** Names the stage of connecting that was just passed, and what was learnt in it. */
export type Passed = (step: string, detail?: string) => void;

/** An authenticated SSH connection with its SFTP channel. */
export interface Handshake {
  readonly ssh: Client;
  readonly sftp: SFTPWrapper;
  /** Says goodbye; may never resolve when the server does not answer. */
  end(): Promise<unknown>;
}

const READY_MS = 20_000;
const KEEPALIVE = { keepaliveInterval: 15_000, keepaliveCountMax: 4 };

/** The SSH client beneath `ssh2-sftp-client`, which its type declarations leave out. */
class OpenSftpClient extends SftpClient {
  declare readonly client: Client;
}

/**
 * Proves the server's host key, then the user, then opens SFTP. No password is sent to a server whose
 * key is not pinned.
 * @param onTrouble gets what the client reports, now and for as long as the connection lives
 * @throws FerryError for a host key that is not accepted; what the client reported for all else
 */
export async function handshake(
  socket: Socket,
  settings: SshSettings,
  passed: Passed,
  onTrouble: (error: unknown) => void,
): Promise<Handshake> {
  // Without callbacks of our own the package prints what happens to the console.
  const client = new OpenSftpClient('ferry', { error() {}, end() {}, close() {} });
  let refusal: FerryError | undefined;
  let trouble: unknown;
  let hostKey = '';
  client.on('error', (error: unknown) => {
    trouble ??= error;
    onTrouble(error);
  });
  client.on('handshake', () => passed('host key', hostKey));
  client.on('ready', () => passed('authentication'));
  try {
    const sftp = await client.connect({
      sock: socket,
      username: settings.user,
      authHandler: methods(settings),
      algorithms: { serverHostKey: hostKeyAlgorithms(settings.hostKeys) },
      hostVerifier(key: Buffer) {
        const offered = offeredKey(key);
        hostKey = `${offered.type} ${offered.fingerprint}`;
        refusal = refuseHostKey(settings.hostKeys, offered);
        return refusal === undefined;
      },
      readyTimeout: READY_MS,
      ...KEEPALIVE,
    });
    return { ssh: client.client, sftp, end: () => client.end() };
  } catch (error) {
    throw refusal ?? trouble ?? error;
  }
}

/** How to log in, in the order in which to try. The key is opened once and handed over open. */
function methods({ user: username, password, privateKey }: SshSettings): AnyAuthMethod[] {
  const byKey = privateKey
    ? [{ type: 'publickey', username, key: unlockPrivateKey(privateKey) } as const]
    : [];
  if (!password) return byKey;
  return [
    ...byKey,
    { type: 'password', username, password: password.reveal() },
    {
      type: 'keyboard-interactive',
      username,
      // A prompt that shows what is typed asks for something other than the password.
      prompt: (_name, _instructions, _language, prompts, answer) =>
        answer(prompts.map((prompt) => (prompt.echo ? '' : password.reveal()))),
    },
  ];
}
