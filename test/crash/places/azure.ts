import type { Seen } from '../../servers/http-front.ts';
import { startAzurite } from './azurite-child.ts';
import { startFronted } from './fronted.ts';
import type { CrashPlace } from './place.ts';

/** Azurite in a process of its own. It is stopped by SIGTERM: killed, it loses what it had acknowledged. */
export async function startAzurePlace(scratch: string): Promise<CrashPlace> {
  const { server, endpoint, container, settings } = await startAzurite(scratch);

  return {
    name: 'azure',
    type: 'azure',
    server: 'Azurite',
    client: '@azure/storage-blob',
    bytesAtOnce: 8 * 1024 ** 2,
    hopBytes: 16 * 1024 ** 2,
    async open(below, watch) {
      const { origin, wire, close } = await startFronted(endpoint, nameOf, watch);
      const blobOf = (path: string) => container.getBlockBlobClient(`${below}/${path}`);
      return {
        wire,
        close,
        settings: settings(origin, below),
        async put(path, bytes) {
          await blobOf(path).uploadData(bytes);
        },
        async sizeOf(path) {
          const blob = blobOf(path);
          return (await blob.exists()) ? (await blob.getProperties()).contentLength : undefined;
        },
        read: (path) => blobOf(path).downloadToBuffer(),
        async contents() {
          const found: string[] = [];
          const prefix = `${below}/`;
          const options = { prefix, includeUncommitedBlobs: true };
          for await (const { name } of container.listBlobsFlat(options)) {
            const blob = container.getBlockBlobClient(name);
            const { uncommittedBlocks = [] } = await blob.getBlockList('uncommitted');
            found.push(name.slice(prefix.length));
            found.push(...uncommittedBlocks.map((block) => `${name}?blockid=${block.name}`));
          }
          return found;
        },
      };
    },
    halt: () => server.halt('SIGTERM'),
    start: server.start,
    stop: () => server.halt('SIGKILL'),
  };
}

function nameOf({ method, query }: Seen): string | undefined {
  if (method === 'DELETE') return 'removed';
  if (method !== 'PUT') return undefined;
  if (query.get('comp') === 'blocklist') return 'publish';
  if (query.get('comp') !== 'block') return 'file put';
  const id = Buffer.from(query.get('blockid') ?? '', 'base64').toString();
  return `part ${Number(id.split('-').at(-1)) + 1}`;
}
