import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { generateSshKey } from '../../../local/ssh-key.ts';
import { startFaultProxy } from '../../servers/fault-proxy.ts';
import { startOpenSsh } from '../../servers/openssh.ts';
import { type Effects, FILE, type Settings, tryDelivery } from './effect.ts';

/** What each setting of an SSH destination does, seen on OpenSSH. */
export async function startSshEffects(): Promise<Effects> {
  const server = await startOpenSsh();
  const proxy = await startFaultProxy({ to: server });
  const outcome = (settings: Settings) => tryDelivery('ssh', settings);
  const whereItArrives = async (settings: Settings) => {
    await outcome(settings);
    const found = ['one', 'two', '.'].find((folder) => existsSync(join(server.home, folder, FILE)));
    if (found !== undefined) rmSync(join(server.home, found, FILE));
    return found;
  };
  const connectionsThrough = async (settings: Settings) => {
    const before = proxy.accepted;
    await outcome(settings);
    return proxy.accepted > before;
  };
  const byKey = {
    SSH_PASSWORD: undefined,
    SSH_IDENTITY_FILE: server.privateKey,
    SSH_IDENTITY_PASSPHRASE: server.passphrase,
  };

  return {
    type: 'ssh',
    base: {
      SSH_HOST_NAME: server.host,
      SSH_PORT: server.port,
      SSH_USER: server.user,
      SSH_PASSWORD: server.password,
      SSH_HOST_KEY: server.fingerprint,
    },
    effects: {
      // The server listens at one address of loopback alone.
      SSH_HOST_NAME: {
        values: [server.host, '127.0.0.7'],
        seen: ['delivered', 'unreachable'],
        observe: outcome,
      },
      SSH_PORT: {
        values: [proxy.port, String(server.port)],
        seen: [true, false],
        observe: connectionsThrough,
      },
      SSH_USER: {
        values: [server.user, 'nobody-here'],
        seen: ['delivered', 'auth-refused'],
        observe: outcome,
      },
      SSH_PASSWORD: {
        values: [server.password, 'wrong'],
        seen: ['delivered', 'auth-refused'],
        observe: outcome,
      },
      SSH_IDENTITY_FILE: {
        beside: byKey,
        values: [server.privateKey, generateSshKey().private],
        seen: ['delivered', 'auth-refused'],
        observe: outcome,
      },
      SSH_IDENTITY_PASSPHRASE: {
        beside: byKey,
        values: [server.passphrase, 'wrong'],
        seen: ['delivered', 'setting-invalid'],
        observe: outcome,
      },
      SSH_REMOTE_PATH: { values: ['one', 'two'], seen: ['one', 'two'], observe: whereItArrives },
      SSH_HOST_KEY: {
        values: [server.hostKeys.ecdsa.line, `SHA256:${'A'.repeat(43)}`],
        seen: ['delivered', 'host-key-changed'],
        observe: outcome,
      },
    },
    async stop() {
      await proxy.stop();
      await server.remove();
    },
  };
}
