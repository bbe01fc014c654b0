import { join } from 'node:path';
import { BlobServiceClient, StorageSharedKeyCredential } from '@azure/storage-blob';
import { z } from 'zod';
import { startChildServer } from './child-server.ts';

const PROCESS = new URL('./azurite-process.ts', import.meta.url);
const tellings = z.object({ endpoint: z.string(), account: z.string(), accountKey: z.string() });

/** The container in which places keep archives. */
export const CONTAINER = 'archives';

/** Azurite in a process of its own, with a container; started again it is at the same address. */
export async function startAzurite(scratch: string) {
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
  /** Of a destination whose blobs are below a path. */
  const settings = (origin: string, path: string) => ({
    AZURE_STORAGE_ACCOUNT_NAME: account,
    AZURE_STORAGE_PRIMARY_ACCOUNT_KEY: accountKey,
    AZURE_STORAGE_CONTAINER_NAME: CONTAINER,
    AZURE_STORAGE_PATH: path,
    AZURE_STORAGE_ENDPOINT: `${origin}${new URL(endpoint).pathname}`,
  });
  return { server, folder, endpoint, container, settings };
}
