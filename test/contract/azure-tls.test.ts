import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startAzurite } from '../../local/azurite.ts';
import { plainClient, settingsOf } from './azure-subject.ts';
import { trust } from './trust.ts';

const NAMES = {
  insecure: 'AZURE_STORAGE_ENDPOINT_INSECURE',
  authority: 'AZURE_STORAGE_ENDPOINT_CA_CERT',
  address: 'AZURE_STORAGE_ENDPOINT',
};

trust('azure', NAMES, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ferry-azurite-'));
  const server = await startAzurite({ folder });
  await plainClient(server).createIfNotExists();
  const { origin, pathname } = new URL(server.endpoint);
  return {
    origin,
    settingsAt: (at) => settingsOf(server, `${at}${pathname}`),
    async stop() {
      await server.stop();
      await rm(folder, { recursive: true });
    },
  };
});
