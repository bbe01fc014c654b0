import { once } from 'node:events';
import { createServer } from 'node:net';
import { ContainerClient, StorageSharedKeyCredential } from '@azure/storage-blob';
import { MiB } from '../../functions/core/parts.ts';
import { NO_LIMITS } from '../../functions/core/policy.ts';
import type { Destination } from '../../functions/destinations/contract.ts';
import { parseDestination } from '../../functions/destinations/registry.ts';
import type { Azurite } from '../../local/azurite.ts';
import { type Front, type React, startFront } from '../servers/http-front.ts';
import type { Subject } from './subject.ts';
import { NO_SURROUNDINGS } from './surroundings.ts';

export const CONTAINER = 'contract';
const FOLDER = 'backups/of us';
const WRONG_KEY = Buffer.from('not the key of the account').toString('base64');

export type Settings = Readonly<Record<string, unknown>>;

/** Opens a destination from settings as a user writes them. */
export async function openWith(settings: Settings): Promise<Destination> {
  const parsed = parseDestination('azure', settings, NO_LIMITS);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.value.open(NO_SURROUNDINGS);
}

/** Settings of the container on a server, reached at `endpoint`. */
export function settingsOf(server: Azurite, endpoint = server.endpoint): Settings {
  return {
    AZURE_STORAGE_ACCOUNT_NAME: server.account,
    AZURE_STORAGE_PRIMARY_ACCOUNT_KEY: server.accountKey,
    AZURE_STORAGE_CONTAINER_NAME: CONTAINER,
    AZURE_STORAGE_ENDPOINT: endpoint,
  };
}

/** The official client, for looking at a server without Ferry's code. */
export function plainClient(server: Azurite, endpoint = server.endpoint): ContainerClient {
  const credential = new StorageSharedKeyCredential(server.account, server.accountKey);
  return new ContainerClient(`${endpoint}/${CONTAINER}`, credential);
}

/** The server's address as it is behind a front: the same path at another port. */
export function through(front: Front, server: Azurite): string {
  return `${front.endpoint}${new URL(server.endpoint).pathname}`;
}

/**
 * Azurite as a subject of the conformance suite.
 * @param trust settings that make Ferry trust it
 */
export async function azureSubject(
  server: Azurite,
  trust: Settings,
  listPage: number,
  stop: () => Promise<void>,
): Promise<Subject> {
  const fronts: Front[] = [];
  // The official client checks certificates by the public roots alone, so it comes in by a front.
  const door = await startFront(new URL(server.endpoint).origin);
  fronts.push(door);
  const client = plainClient(server, through(door, server));
  await client.createIfNotExists();
  const silent = createServer(() => {}).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const address = silent.address();
  const silentPort = typeof address === 'object' && address !== null ? address.port : 0;
  const at = (endpoint: string, more: Settings = {}) =>
    openWith({ ...settingsOf(server, endpoint), AZURE_STORAGE_PATH: FOLDER, ...more });
  const directly = (more: Settings = {}) => at(server.endpoint, { ...trust, ...more });
  const openSpoiled = async (react: React) => {
    const front = await startFront(new URL(server.endpoint).origin);
    fronts.push(front);
    front.react(react);
    return at(through(front, server));
  };
  /** Names of the files in the folder, and on demand of those that are blocks alone so far. */
  const list = async (includeUncommitedBlobs: boolean) => {
    const names: string[] = [];
    const options = { prefix: `${FOLDER}/`, includeUncommitedBlobs };
    for await (const { name } of client.listBlobsFlat(options)) {
      names.push(name.slice(FOLDER.length + 1));
    }
    return names;
  };
  const blobOf = (path: string) => client.getBlockBlobClient(`${FOLDER}/${path}`);
  const unfinished = async () => {
    const found: { path: string; blocks: { name: string; size: number }[] }[] = [];
    for (const path of await list(true)) {
      const { uncommittedBlocks = [] } = await blobOf(path).getBlockList('uncommitted');
      if (uncommittedBlocks.length > 0) found.push({ path, blocks: uncommittedBlocks });
    }
    return found;
  };

  return {
    open: () => directly(),
    openRefused: () => directly({ AZURE_STORAGE_PRIMARY_ACCOUNT_KEY: WRONG_KEY }),
    openSilent: () => at(`http://127.0.0.1:${silentPort}/${server.account}`),
    openCorrupting: async () => {
      let passed = 0;
      return openSpoiled(({ method }, body) => {
        passed += body.length;
        if (method !== 'PUT' || passed <= MiB || body.length < MiB / 64) return undefined;
        body.writeUInt8(body.readUInt8(body.length / 2) ^ 1, body.length / 2);
        return body;
      });
    },
    openFull: async () => {
      let room = 8 * MiB;
      return openSpoiled(({ method, bytes }) => {
        if (method !== 'PUT') return undefined;
        // A list of blocks takes no room.
        if (bytes > 1024 && bytes > room) return { status: 507 };
        room -= bytes;
        return undefined;
      });
    },
    openBusy: (status) => openSpoiled(() => ({ status, headers: { 'retry-after': '7' } })),
    async readDirectly(path) {
      const blob = blobOf(path);
      return (await blob.exists()) ? blob.downloadToBuffer() : undefined;
    },
    /**
     * Committed blobs only: blocks alone are not at the place. Nobody sees them, nothing can delete
     * them without showing an empty file first, and Azure drops them after seven days.
     */
    listDirectly: () => list(false),
    async loseUnfinished() {
      for (const { path } of await unfinished()) {
        await blobOf(path).commitBlockList([]);
        await blobOf(path).delete();
      }
    },
    async shortenUnfinished() {
      for (const { path, blocks } of await unfinished()) {
        const last = blocks.toSorted((a, b) => (decode(a.name) < decode(b.name) ? -1 : 1)).at(-1);
        if (last)
          await blobOf(path).stageBlock(last.name, Buffer.alloc(last.size - 1), last.size - 1);
      }
    },
    refusesName: (name) =>
      name.includes('\\') ? { notHere: 'Azurite takes a backslash for a slash' } : undefined,
    secrets: [server.accountKey, WRONG_KEY, 'SharedKey '],
    listPage,
    async stop() {
      await Promise.all(fronts.map((front) => front.stop()));
      silent.close();
      await stop();
    },
  };
}

function decode(blockId: string): string {
  return Buffer.from(blockId, 'base64').toString();
}
