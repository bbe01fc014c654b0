import { open, readdir, readFile, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { NO_LIMITS } from '../../functions/core/policy.ts';
import type { Destination } from '../../functions/destinations/contract.ts';
import { parseDestination } from '../../functions/destinations/registry.ts';
import { type Faults, startFaultProxy } from '../servers/fault-proxy.ts';
import type { Maybe, Subject } from './subject.ts';
import { NO_SURROUNDINGS } from './surroundings.ts';

export type Settings = Readonly<Record<string, string>>;

/** Opens a destination from settings as a user writes them. */
export async function openWith(settings: Settings): Promise<Destination> {
  const parsed = parseDestination('ssh', settings, NO_LIMITS);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.value.open(NO_SURROUNDINGS);
}

/** What the conformance suite needs of any SSH server whose disk is ours. */
export async function sshSubject(server: {
  readonly settings: Settings;
  /** The destination's folder on this disk. */
  readonly folder: string;
  readonly openFull: Maybe<() => Promise<Destination>>;
  readonly secrets: readonly string[];
  stop(): Promise<void>;
}): Promise<Subject> {
  const { settings, folder } = server;
  const to = {
    host: settings.SSH_HOST_NAME ?? '127.0.0.1',
    port: Number(settings.SSH_PORT),
  };
  const proxies: { stop(): Promise<void> }[] = [];
  const openThrough = async (faults: Faults) => {
    const proxy = await startFaultProxy({ to, faults });
    proxies.push(proxy);
    return openWith({ ...settings, SSH_PORT: String(proxy.port) });
  };
  const unfinished = async () =>
    (await filesBelow(folder)).filter((path) => path.endsWith('.part'));

  return {
    open: () => openWith(settings),
    openRefused: () => openWith({ ...settings, SSH_PASSWORD: 'not the password' }),
    openSilent: () => openThrough({ blackHole: true }),
    openCorrupting: () => openThrough({ flipAt: 1_100_000 }),
    openFull: server.openFull,
    openBusy: { notHere: 'SSH has no HTTP status' },
    readDirectly: (path) => readFile(join(folder, path)).catch(() => undefined),
    async listDirectly() {
      return (await filesBelow(folder)).map((path) => relative(folder, path)).sort();
    },
    async loseUnfinished() {
      for (const path of await unfinished()) await rm(path);
    },
    async shortenUnfinished() {
      for (const path of await unfinished()) {
        const file = await open(path, 'r+');
        await file.truncate((await file.stat()).size - 1);
        await file.close();
      }
    },
    secrets: server.secrets,
    // OpenSSH answers READDIR with at most 100 names (sftp-server.c).
    listPage: 100,
    async stop() {
      await Promise.all(proxies.map((proxy) => proxy.stop()));
      await server.stop();
    },
  };
}

/** Absolute paths of every file below a folder; none where there is no folder. */
export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
