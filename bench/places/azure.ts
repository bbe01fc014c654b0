import { rm } from 'node:fs/promises';
import { ContainerSASPermissions } from '@azure/storage-blob';
import { CONTAINER, startAzurite } from '../../test/crash/places/azurite-child.ts';
import type { Line, Place } from '../place.ts';
import { sendBytes } from '../push.ts';

const SAS_MS = 24 * 3_600_000;
/** Azurite keeps what was deleted for a while: with more than this it begins with an empty folder. */
const MOST_LEFT = 4 * 1024 ** 3;

/** Azurite, in a process of its own. */
export async function startAzure(scratch: string): Promise<Place> {
  const { server, folder, endpoint, container, settings } = await startAzurite(scratch);
  const permissions = ContainerSASPermissions.parse('racwdl');
  const expiresOn = new Date(Date.now() + SAS_MS);
  const signed = await container.generateSasUrl({ permissions, expiresOn });
  const { hostname: host, port } = new URL(endpoint);
  const signedAt = (line: Line, path = '') => {
    const url = new URL(signed);
    url.port = `${line.port}`;
    url.pathname += path;
    return url.href;
  };
  let left = 0;

  return {
    type: 'azure',
    server: 'Azurite',
    address: { host, port: Number(port) },
    settings: (line, below) => settings(`http://${host}:${line.port}`, below),
    rclone: (line) => ({
      root: `${CONTAINER}/`,
      // Its emulator mode signs in a way that Azurite refuses.
      options: { TYPE: 'azureblob', SAS_URL: signedAt(line) },
    }),
    async push(line, path, bytes) {
      const headers = { 'x-ms-blob-type': 'BlockBlob', 'x-ms-version': '2021-12-02' };
      await sendBytes(signedAt(line, `/${path}`), bytes, { method: 'PUT', headers });
    },
    async sizeOf(path) {
      return (await container.getBlobClient(path).getProperties()).contentLength;
    },
    async remove(path) {
      const blob = container.getBlobClient(path);
      if (await blob.exists()) {
        left += (await blob.getProperties()).contentLength ?? 0;
        await blob.delete();
      }
      if (left < MOST_LEFT) return;
      await server.halt('SIGKILL');
      await rm(folder, { recursive: true, force: true });
      await server.start();
      await container.create();
      left = 0;
    },
    stop: () => server.halt('SIGKILL'),
  };
}
