import { once } from 'node:events';
import { readdir, readFile, rm, stat, truncate } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join, relative } from 'node:path';
import { MiB } from '../../functions/core/parts.ts';
import { NO_LIMITS } from '../../functions/core/policy.ts';
import type { Destination, Json } from '../../functions/destinations/contract.ts';
import { parseDestination } from '../../functions/destinations/registry.ts';
import type { Surroundings } from '../../functions/destinations/surroundings.ts';
import { startFaultProxy } from '../servers/fault-proxy.ts';
import { type Front, type React, startFront } from '../servers/http-front.ts';
import type { WebDavServer } from '../servers/webdav-server.ts';
import type { Maybe, Subject } from './subject.ts';
import { NO_SURROUNDINGS } from './surroundings.ts';

const FOLDER = 'backups/of us';
const WRONG_PASSWORD = 'not the password';
/** Within the first part, and after all that is sent before it on any connection. */
const FLIPPED_BYTE = 40_000;
/** What servers keep for themselves beside the files. */
const OF_SERVERS = ['.sabredav'];

export type Settings = Readonly<Record<string, unknown>>;

/** Opens a destination from settings as a user writes them. */
export async function openWith(
  settings: Settings,
  surroundings: Surroundings = NO_SURROUNDINGS,
): Promise<Destination> {
  const parsed = parseDestination('webdav', settings, NO_LIMITS);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.value.open(surroundings);
}

/** Settings of a server, reached at `url`. */
export function settingsOf({ username, password, ...server }: WebDavServer, url = server.url) {
  const login = username === '' ? {} : { WEBDAV_USERNAME: username, WEBDAV_PASSWORD: password };
  return { WEBDAV_URL: url, ...login };
}

/** The server's address as it is behind a front: the same path at another port. */
export function through({ endpoint }: Pick<Front, 'endpoint'>, { url }: WebDavServer): string {
  return `${endpoint}${new URL(url).pathname}`;
}

/** A deployment that keeps what is found out. */
export function rememberingSurroundings(): Surroundings {
  let kept: Json | undefined;
  return {
    ...NO_SURROUNDINGS,
    recall: async () => kept,
    remember: async (findings) => {
      kept = JSON.parse(JSON.stringify(findings));
    },
  };
}

export interface SubjectOptions {
  readonly server: WebDavServer;
  /** Settings that make Ferry trust it. */
  readonly trust?: Settings;
  /** Such a server with less than 8 MiB of room; without it, a front says that there is none. */
  readonly full?: WebDavServer;
  /** Whether unfinished files are kept piece by piece. */
  readonly resumes: boolean;
  readonly refusesName?: Subject['refusesName'];
  /** On this disk: where unfinished uploads are, for servers that keep them elsewhere. */
  readonly uploads?: string;
  stop(): Promise<void>;
}

/** A WebDAV server as a subject of the conformance suite. */
export async function webdavSubject(options: SubjectOptions): Promise<Subject> {
  const { server, trust = {}, full, uploads } = options;
  const isSealed = server.url.startsWith('https:');
  const surroundings = rememberingSurroundings();
  const closing: (() => Promise<unknown>)[] = [];
  const silent = createServer(() => {}).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const address = silent.address();
  const silentPort = typeof address === 'object' && address !== null ? address.port : 0;

  const at = (url: string, more: Settings = {}) =>
    openWith({ ...settingsOf(server, url), WEBDAV_PATH: FOLDER, ...more }, surroundings);
  const directly = (more: Settings = {}) => at(server.url, { ...trust, ...more });
  const openSpoiled = async (react: React) => {
    const front = await startFront(new URL(server.url).origin);
    closing.push(() => front.stop());
    front.react(react);
    return at(through(front, server));
  };
  const root = join(server.folder, FOLDER);
  const list = async (folder: string): Promise<string[]> => {
    const found = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
    return found
      .filter((one) => one.isFile() && !OF_SERVERS.includes(one.name))
      .map((one) => join(one.parentPath, one.name));
  };
  const unfinished = async () => [
    ...(await list(root)).filter((path) => path.includes('/.ferry-')),
    ...(uploads === undefined ? [] : await list(uploads)),
  ];

  return {
    open: () => directly(),
    openRefused: hasLogin(server)
      ? () => directly({ WEBDAV_PASSWORD: WRONG_PASSWORD })
      : { notHere: 'the server asks nobody who they are' },
    openSilent: () => at(`http://127.0.0.1:${silentPort}/dav`),
    openCorrupting: isSealed
      ? async () => {
          const { hostname: host, port } = new URL(server.url);
          const faults = { flipAt: FLIPPED_BYTE };
          const proxy = await startFaultProxy({ to: { host, port: Number(port) }, faults });
          closing.push(() => proxy.stop());
          return at(through({ endpoint: `https://127.0.0.1:${proxy.port}` }, server), trust);
        }
      : { notHere: 'plain HTTP has nothing that would show a flipped bit; TLS has' },
    openFull: full
      ? () => openWith({ ...settingsOf(full), WEBDAV_PATH: FOLDER, ...trust })
      : () => {
          let room = 8 * MiB;
          return openSpoiled(({ bytes }) => {
            if (bytes > 1024 && bytes > room) return { status: 507 };
            room -= bytes;
            return undefined;
          });
        },
    openBusy: (status) => openSpoiled(() => ({ status, headers: { 'retry-after': '7' } })),
    readDirectly: (path) => readFile(join(root, path)).catch(() => undefined),
    async listDirectly() {
      const files = (await list(root)).map((path) => relative(root, path));
      const parts = uploads === undefined ? [] : await readdir(uploads, { recursive: true });
      return [...files, ...parts];
    },
    async loseUnfinished() {
      for (const path of await unfinished()) await rm(path);
      if (uploads === undefined) return;
      for (const name of await readdir(uploads).catch(() => [])) {
        await rm(join(uploads, name), { recursive: true });
      }
    },
    shortenUnfinished: shorten(options.resumes, unfinished),
    ...(options.refusesName === undefined ? {} : { refusesName: options.refusesName }),
    secrets: hasLogin(server)
      ? [
          ...[server.password, WRONG_PASSWORD],
          Buffer.from(`${server.username}:${server.password}`).toString('base64'),
        ]
      : [],
    listPage: 20,
    async stop() {
      await Promise.all(closing.map((close) => close()));
      silent.close();
      await full?.stop();
      await options.stop();
    },
  };
}

function hasLogin({ username }: WebDavServer): boolean {
  return username !== '';
}

function shorten(
  resumes: boolean,
  unfinished: () => Promise<string[]>,
): Maybe<() => Promise<void>> {
  if (!resumes) return { notHere: 'the server keeps nothing of a file that is not whole' };
  return async () => {
    const last = (await unfinished()).sort().at(-1);
    if (last === undefined) throw new Error('nothing is unfinished');
    await truncate(last, (await stat(last)).size - 1);
  };
}
