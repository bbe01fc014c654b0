import type { Socket } from 'node:net';
import type { AnyAuthMethod, Client, SFTPWrapper } from 'ssh2';
import SftpClient from 'ssh2-sftp-client';
import * as z from 'zod';
import type { FerryError } from '../../core/errors.ts';
import {
  type FirstTrust,
  hostKeyAlgorithms,
  keyText,
  type OfferedKey,
  offeredKey,
  refuseHostKey,
} from './host-key.ts';
import { keepPacketKeys } from './packet-keys.ts';
import { unlockPrivateKey } from './private-key.ts';
import type { SshSettings } from './settings.ts';

/** Names the stage of connecting that was just passed, and what was learnt in it. */
export type Passed = (step: string, detail?: string) => void;

/** An authenticated SSH connection with its SFTP channel. */
export interface Handshake {
  readonly ssh: Client;
  readonly sftp: SFTPWrapper;
  readonly hostKey: OfferedKey;
  /** Whether the server says that it is OpenSSH, in its identification (RFC 4253, 4.2). */
  readonly isOpenSsh: boolean;
  /** Says goodbye; may never resolve when the server does not answer. */
  end(): Promise<unknown>;
}

const READY_MS = 20_000;
const KEEPALIVE = { keepaliveInterval: 15_000, keepaliveCountMax: 4 };

/** The SSH client beneath `ssh2-sftp-client`, which its type declarations leave out. */
class OpenSftpClient extends SftpClient {
  declare readonly client: Client;
}

/** Where ssh2 keeps the software version of the server's identification; it tells nobody. */
const identified = z.object({ _remoteVer: z.string() });

function isOpenSsh(client: Client): boolean {
  return identified.safeParse(client).data?._remoteVer.startsWith('OpenSSH_') ?? false;
}

/**
 * Proves the server's host key, then the user, then opens SFTP. No password is sent to a server whose
 * key is not accepted.
 * @param trust given where no key is pinned and the first one may be trusted
 * @param onTrouble gets what the client reports, now and for as long as the connection lives
 * @throws FerryError for a host key that is not accepted; what the client reported for all else
 */
export async function handshake(
  socket: Socket,
  settings: SshSettings,
  trust: FirstTrust | undefined,
  passed: Passed,
  onTrouble: (error: unknown) => void,
): Promise<Handshake> {
  // Without callbacks of our own the package prints what happens to the console.
  const client = new OpenSftpClient('ferry', { error() {}, end() {}, close() {} });
  let refusal: FerryError | undefined;
  let trouble: unknown;
  let shown: OfferedKey | undefined;
  client.on('error', (error: unknown) => {
    trouble ??= error;
    onTrouble(error);
  });
  client.on('handshake', () => passed('host key', shown && keyText(shown)));
  client.on('ready', () => passed('authentication'));
  // A key that is known is asked for first, so that a server with several shows that one.
  const types = trust?.known ? [trust.known.type] : settings.hostKeys.types;
  try {
    const sftp = await client.connect({
      sock: socket,
      username: settings.user,
      authHandler: methods(settings),
      algorithms: { serverHostKey: hostKeyAlgorithms(types) },
      hostVerifier(key: Buffer) {
        shown = offeredKey(key);
        refusal = refuseHostKey(settings.hostKeys, shown, trust);
        return refusal === undefined;
      },
      readyTimeout: READY_MS,
      ...KEEPALIVE,
    });
    if (!shown) throw new Error('the SSH client asked nobody about the host key');
    const ssh = client.client;
    keepPacketKeys(ssh);
    return { ssh, sftp, hostKey: shown, isOpenSsh: isOpenSsh(ssh), end: () => client.end() };
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
