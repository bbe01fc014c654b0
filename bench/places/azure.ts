import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  BlobServiceClient,
  ContainerSASPermissions,
  StorageSharedKeyCredential,
} from '@azure/storage-blob';
import { z } from 'zod';
import { startChildServer } from '../../test/crash/places/child-server.ts';
import type { Line, Place } from '../place.ts';
import { sendBytes } from '../push.ts';

const PROCESS = new URL('../../test/crash/places/azurite-process.ts', import.meta.url);
const CONTAINER = 'archives';
const SAS_MS = 24 * 3_600_000;
/** Azurite keeps what was deleted for a while: with more than this it begins with an empty folder. */
const MOST_LEFT = 4 * 1024 ** 3;
const tellings = z.object({ endpoint: z.string(), account: z.string(), accountKey: z.string() });

/** Azurite, in a process of its own. */
export async function startAzure(scratch: string): Promise<Place> {
  const folder = join(scratch, 'azurite');
  const server = await startChildServer(PROCESS, (told) => {
    const earlier = tellings.safeParse(told).data;
    if (!earlier) return { folder };
    return { folder, port: Number(new URL(earlier.endpoint).port), accountKey: earlier.accountKey };
  });
  const { endpoint, account, accountKey } = tellings.parse(server.told);
  const credential = new StorageSharedKeyCredential(account, accountKey);
  const container = new BlobServiceClient(endpoint, credential).getContainerClient(CONTAINER);
  await container.create();
  const permissions = ContainerSASPermissions.parse('racwdl');
  const expiresOn = new Date(Date.now() + SAS_MS);
  const signed = await container.generateSasUrl({ permissions, expiresOn });
  const { hostname: host, port, pathname } = new URL(endpoint);
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
    settings: (line, below) => ({
      AZURE_STORAGE_ACCOUNT_NAME: account,
      AZURE_STORAGE_PRIMARY_ACCOUNT_KEY: accountKey,
      AZURE_STORAGE_CONTAINER_NAME: CONTAINER,
      AZURE_STORAGE_PATH: below,
      AZURE_STORAGE_ENDPOINT: `http://${host}:${line.port}${pathname}`,
    }),
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
