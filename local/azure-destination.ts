import { pipeline } from 'node:stream/promises';
import { BlobServiceClient, StorageSharedKeyCredential } from '@azure/storage-blob';
import { startAzurite } from './azurite.ts';
import type { StartServer } from './destination-server.ts';
import { BACKUP_FOLDER } from './users.ts';

const containerOf = (userId: string) => `${userId}-backups`;

/** A storage account with a container for each login. */
export const startAzureDestination: StartServer = async (logins, folder) => {
  const azurite = await startAzurite({ folder });
  const { endpoint, account, accountKey } = azurite;
  const credential = new StorageSharedKeyCredential(account, accountKey);
  const service = new BlobServiceClient(endpoint, credential);
  for (const { userId } of logins) await service.createContainer(containerOf(userId));
  return {
    type: 'azure',
    address: endpoint,
    lookAt: (userId) =>
      `az storage blob list --blob-endpoint ${endpoint} --account-name ${account} ` +
      `--account-key ${accountKey} --container-name ${containerOf(userId)} --output table`,
    settingsFor: (userId) => ({
      AZURE_STORAGE_ACCOUNT_NAME: account,
      AZURE_STORAGE_PRIMARY_ACCOUNT_KEY: accountKey,
      AZURE_STORAGE_CONTAINER_NAME: containerOf(userId),
      AZURE_STORAGE_PATH: BACKUP_FOLDER,
      AZURE_STORAGE_ENDPOINT: endpoint,
    }),
    async read({ userId }, path, sink, signal) {
      const blob = service.getContainerClient(containerOf(userId)).getBlobClient(path);
      const { readableStreamBody } = await blob.download(0, undefined, { abortSignal: signal });
      if (!readableStreamBody) throw new Error('The answer has no body.');
      await pipeline(readableStreamBody, sink, { signal });
    },
    [Symbol.asyncDispose]: () => azurite.stop(),
  };
};
