import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MiB } from '../../functions/core/parts.ts';
import { NO_LIMITS } from '../../functions/core/policy.ts';
import type { Destination } from '../../functions/destinations/contract.ts';
import { parseDestination } from '../../functions/destinations/registry.ts';
import type { Account } from '../../local/dropbox/oauth.ts';
import { type DropboxFake, startDropboxFake } from '../../local/dropbox/server.ts';
import { type Front, type React, startFront } from '../servers/http-front.ts';
import type { Subject } from './subject.ts';
import { NO_SURROUNDINGS } from './surroundings.ts';

const FOLDER = 'backups/of us';
const WRONG_TOKEN = 'not-the-refresh-token-of-anybody';
/** Less than 8 MiB, as `openFull` asks. */
const LITTLE_ROOM = 6 * MiB;

export type Settings = Readonly<Record<string, unknown>>;

/** Opens a destination from settings as a user writes them. */
export async function openWith(settings: Settings): Promise<Destination> {
  const parsed = parseDestination('dropbox', settings, NO_LIMITS);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.value.open(NO_SURROUNDINGS);
}

/** Settings of an account on the fake, reached at `endpoint`. */
export function settingsOf(
  fake: DropboxFake,
  account: Account,
  endpoint = fake.endpoint,
): Settings {
  return {
    DROPBOX_APP_KEY: fake.app.key,
    DROPBOX_APP_SECRET: fake.app.secret,
    DROPBOX_REFRESH_TOKEN: fake.oauth.connect(fake.app, account),
    DROPBOX_ENDPOINT: endpoint,
    DROPBOX_OAUTH2_ENDPOINT: endpoint,
  };
}

/** A fake with a folder of its own, which goes with it. */
export async function startFake(listPage?: number): Promise<DropboxFake> {
  const folder = await mkdtemp(join(tmpdir(), 'dropbox-fake-'));
  const fake = await startDropboxFake({ folder, ...(listPage === undefined ? {} : { listPage }) });
  return {
    ...fake,
    async stop() {
      await fake.stop();
      await rm(folder, { recursive: true });
    },
  };
}

/** A file as the fake has it on disk. */
export async function storedIn(account: Account, path: string): Promise<Buffer | undefined> {
  const found = account.tree.find(path);
  return found?.kind === 'file' ? readFile(found.blob) : undefined;
}

/** The fake as a subject of the conformance suite. */
export async function dropboxSubject(fake: DropboxFake, listPage: number): Promise<Subject> {
  const account = fake.addAccount('contract');
  const fronts: Front[] = [];
  const silent = createServer(() => {}).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const address = silent.address();
  const silentPort = typeof address === 'object' && address !== null ? address.port : 0;
  const at = (endpoint: string, more: Settings = {}) =>
    openWith({
      ...settingsOf(fake, account, endpoint),
      DROPBOX_REMOTE_PATH: `/${FOLDER}`,
      ...more,
    });
  const openSpoiled = async (react: React) => {
    const front = await startFront(fake.endpoint);
    fronts.push(front);
    front.react(react);
    return at(front.endpoint);
  };

  return {
    open: () => at(fake.endpoint),
    openRefused: () => at(fake.endpoint, { DROPBOX_REFRESH_TOKEN: WRONG_TOKEN }),
    openSilent: () => at(`http://127.0.0.1:${silentPort}`),
    openCorrupting: async () => {
      let passed = 0;
      return openSpoiled(({ path }, body) => {
        passed += body.length;
        if (!path.includes('upload') || passed <= MiB || body.length < MiB / 64) return undefined;
        body.writeUInt8(body.readUInt8(body.length / 2) ^ 1, body.length / 2);
        return body;
      });
    },
    openFull: async () => {
      const full = fake.addAccount('full', LITTLE_ROOM);
      return openWith(settingsOf(fake, full));
    },
    openBusy: (status) => openSpoiled(() => ({ status, headers: { 'retry-after': '7' } })),
    readDirectly: (path) => storedIn(account, `/${FOLDER}/${path.normalize('NFC')}`),
    // Sessions are not at the place: nobody sees them, and Dropbox drops them after seven days.
    listDirectly: async () =>
      account.tree
        .below(`/${FOLDER}`)
        .filter(([, { kind }]) => kind === 'file')
        .map(([, { path }]) => path.slice(FOLDER.length + 2)),
    loseUnfinished: () => fake.sessions.expireAll(),
    shortenUnfinished: {
      notHere: 'Dropbox does not tell what a session holds; what is missing shows when it finishes',
    },
    refusesName(name) {
      if (name.includes('\\')) return { notHere: 'Dropbox never takes a backslash' };
      if (name.normalize('NFC') === name) return undefined;
      return { notHere: 'Dropbox composes the letters of a name; dropbox-faults.test.ts has it' };
    },
    secrets: [fake.app.secret, WRONG_TOKEN, 'Bearer ', 'sl.'],
    listPage,
    async stop() {
      await Promise.all(fronts.map((front) => front.stop()));
      silent.close();
      await fake.stop();
    },
  };
}
