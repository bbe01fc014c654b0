import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  BlobServiceClient,
  ContainerSASPermissions,
  generateBlobSASQueryParameters,
  StorageSharedKeyCredential,
} from '@azure/storage-blob';
import { startAzurite } from '../../../local/azurite.ts';
import { createAuthority } from '../../servers/certificates.ts';
import { type Seen, startFront } from '../../servers/http-front.ts';
import { type Effects, FILE, type Settings, tryDelivery } from './effect.ts';

const OTHER_KEY = Buffer.alloc(64, 'not the key').toString('base64');
const HOUR_MS = 3600 * 1000;

/** What each setting of an Azure destination does, seen on Azurite and on the wire before it. */
export async function startAzureEffects(): Promise<Effects> {
  const folder = await mkdtemp(join(tmpdir(), 'ferry-azurite-'));
  const server = await startAzurite({ folder });
  const { account, accountKey } = server;
  const { origin, pathname } = new URL(server.endpoint);
  const credential = new StorageSharedKeyCredential(account, accountKey);
  const service = new BlobServiceClient(server.endpoint, credential);
  for (const name of ['one', 'two']) await service.createContainer(name);
  const authority = await createAuthority();
  const stranger = await createAuthority();
  const plain = await startFront(origin);
  const sealed = await startFront(origin, await authority.issue('IP:127.0.0.1'));
  const at = (front: string) => `${front}${pathname}`;

  const outcome = (settings: Settings) => tryDelivery('azure', settings);
  /** What a delivery showed in the requests that wrote. */
  const onTheWire = (look: (writing: readonly Seen[]) => unknown) => async (settings: Settings) => {
    const before = plain.seen.length;
    await outcome(settings);
    return look(plain.seen.slice(before).filter(({ method }) => method === 'PUT'));
  };
  const path = onTheWire((writing) => writing.at(0)?.path);
  const committed = onTheWire((writing) => writing.at(-1)?.headers['x-ms-access-tier']);
  // What is there already is not written again.
  const tier = (settings: Settings) => committed({ ...settings, AZURE_STORAGE_PATH: randomUUID() });
  const reaches = (front: { readonly seen: readonly Seen[] }) => async (settings: Settings) => {
    const before = front.seen.length;
    await outcome(settings);
    return front.seen.length > before;
  };
  const connection = (key: string, endpoint = at(plain.endpoint)) =>
    `DefaultEndpointsProtocol=http;AccountName=${account};AccountKey=${key};BlobEndpoint=${endpoint};`;
  const signature = (key: string) => {
    const granted = {
      containerName: 'one',
      permissions: ContainerSASPermissions.parse('racwdl'),
      expiresOn: new Date(Date.now() + HOUR_MS),
    };
    const signer = new StorageSharedKeyCredential(account, key);
    return generateBlobSASQueryParameters(granted, signer).toString();
  };
  const base = {
    AZURE_STORAGE_ACCOUNT_NAME: account,
    AZURE_STORAGE_PRIMARY_ACCOUNT_KEY: accountKey,
    AZURE_STORAGE_CONTAINER_NAME: 'one',
    AZURE_STORAGE_ENDPOINT: at(plain.endpoint),
  };
  const noKey = { AZURE_STORAGE_PRIMARY_ACCOUNT_KEY: undefined };
  const onSealed = { AZURE_STORAGE_ENDPOINT: at(sealed.endpoint) };

  return {
    type: 'azure',
    base,
    effects: {
      AZURE_STORAGE_ACCOUNT_NAME: {
        beside: { AZURE_STORAGE_ENDPOINT: `${plain.endpoint}/{{ .AccountName }}` },
        values: [account, 'somebodyelse'],
        seen: [`/${account}/one/${FILE}`, `/somebodyelse/one/${FILE}`],
        observe: path,
      },
      AZURE_STORAGE_PRIMARY_ACCOUNT_KEY: {
        values: [accountKey, OTHER_KEY],
        seen: ['delivered', 'auth-refused'],
        observe: outcome,
      },
      AZURE_STORAGE_CONNECTION_STRING: {
        beside: {
          ...noKey,
          AZURE_STORAGE_ACCOUNT_NAME: undefined,
          AZURE_STORAGE_ENDPOINT: undefined,
        },
        values: [connection(accountKey), connection(OTHER_KEY)],
        seen: ['delivered', 'auth-refused'],
        observe: outcome,
      },
      AZURE_STORAGE_SAS: {
        beside: noKey,
        values: [signature(accountKey), signature(OTHER_KEY)],
        seen: ['delivered', 'auth-refused'],
        observe: outcome,
      },
      AZURE_STORAGE_CONTAINER_NAME: {
        values: ['one', 'two'],
        seen: [`${pathname}/one/${FILE}`, `${pathname}/two/${FILE}`],
        observe: path,
      },
      AZURE_STORAGE_PATH: {
        values: ['nightly', '/weekly/x/'],
        seen: [`${pathname}/one/nightly/${FILE}`, `${pathname}/one/weekly/x/${FILE}`],
        observe: path,
      },
      AZURE_STORAGE_ENDPOINT: {
        values: [at(plain.endpoint), server.endpoint],
        seen: [true, false],
        observe: reaches(plain),
      },
      AZURE_STORAGE_ENDPOINT_INSECURE: {
        beside: onSealed,
        values: ['true', 'false'],
        seen: ['delivered', 'tls-untrusted'],
        observe: outcome,
      },
      AZURE_STORAGE_ENDPOINT_CA_CERT: {
        beside: onSealed,
        values: [authority.pem, stranger.pem],
        seen: ['delivered', 'tls-untrusted'],
        observe: outcome,
      },
      AZURE_STORAGE_ACCESS_TIER: {
        values: ['cool', 'HOT'],
        seen: ['Cool', 'Hot'],
        observe: tier,
      },
    },
    async stop() {
      await Promise.all([plain.stop(), sealed.stop(), authority.remove(), stranger.remove()]);
      await server.stop();
      await rm(folder, { recursive: true });
    },
  };
}
