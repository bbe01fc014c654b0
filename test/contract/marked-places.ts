import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ContainerSASPermissions,
  generateBlobSASQueryParameters,
  StorageSharedKeyCredential,
} from '@azure/storage-blob';
import { startAzurite } from '../../local/azurite.ts';
import { startWebDavServer } from '../../local/webdav-server.ts';
import { startEmbeddedS3 } from '../servers/embedded-s3.ts';
import * as azure from './azure-subject.ts';
import * as dropbox from './dropbox-subject.ts';
import { mark } from './marks.ts';

export type Settings = Readonly<Record<string, unknown>>;

/** A server over HTTP, and settings whose every secret is a mark. */
export interface MarkedPlace {
  readonly type: string;
  /** Without a path. */
  readonly origin: string;
  /** Settings for the server as it is at another origin. */
  settingsAt(origin: string): Settings;
  /** Secrets of the settings, their parts, and what is made of them. */
  marks(): readonly string[];
  stop(): Promise<void>;
}

async function folder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'ferry-marks-'));
}

async function startS3(): Promise<MarkedPlace> {
  const server = await startEmbeddedS3();
  await server.createBucket('marked');
  const secrets = { id: `AKIA${mark('id').replace(/\W/g, '')}`, key: mark('s3') };
  return {
    type: 's3',
    origin: server.endpoint,
    settingsAt: (origin) => ({
      AWS_S3_BUCKET_NAME: 'marked',
      AWS_ENDPOINT: origin,
      AWS_ACCESS_KEY_ID: secrets.id,
      AWS_SECRET_ACCESS_KEY: secrets.key,
      ...(origin.startsWith('https') ? { AWS_ENDPOINT_PROTO: 'https' } : {}),
    }),
    marks: () => Object.values(secrets),
    stop: () => server.stop(),
  };
}

async function startWebDav(): Promise<MarkedPlace> {
  const root = await folder();
  const password = mark('dav');
  const server = await startWebDavServer({ root, users: { ann: password } });
  return {
    type: 'webdav',
    origin: server.url,
    settingsAt: (origin) => ({
      WEBDAV_URL: origin,
      WEBDAV_USERNAME: 'ann',
      WEBDAV_PASSWORD: password,
    }),
    marks: () => [password],
    async stop() {
      await server.stop();
      await rm(root, { recursive: true });
    },
  };
}

async function startDropbox(): Promise<MarkedPlace> {
  const fake = await dropbox.startFake();
  const settings = dropbox.settingsOf(fake, fake.addAccount('marked'));
  return {
    type: 'dropbox',
    origin: fake.endpoint,
    settingsAt: (origin) => ({
      ...settings,
      DROPBOX_ENDPOINT: origin,
      DROPBOX_OAUTH2_ENDPOINT: origin,
    }),
    marks: () => [
      fake.app.secret,
      String(settings.DROPBOX_REFRESH_TOKEN),
      ...fake.oauth.accessTokens,
    ],
    async stop() {
      await fake.stop();
    },
  };
}

/** Azure with one of the three ways to give a secret. */
function startAzureWith(way: 'key' | 'connection string' | 'signature') {
  return async (): Promise<MarkedPlace> => {
    const root = await folder();
    const server = await startAzurite({ folder: root });
    const { account, accountKey } = server;
    await azure.plainClient(server).createIfNotExists();
    const path = new URL(server.endpoint).pathname;
    const token = generateBlobSASQueryParameters(
      {
        containerName: azure.CONTAINER,
        permissions: ContainerSASPermissions.parse('rcwdl'),
        expiresOn: new Date(Date.now() + 3_600_000),
      },
      new StorageSharedKeyCredential(account, accountKey),
    ).toString();
    const signature = new URLSearchParams(token).get('sig') ?? '';
    const at = (origin: string): Settings => {
      const endpoint = `${origin}${path}`;
      if (way === 'key') return azure.settingsOf(server, endpoint);
      const container = { AZURE_STORAGE_CONTAINER_NAME: azure.CONTAINER };
      if (way === 'signature') {
        const url = `${endpoint}/${azure.CONTAINER}?${token}`;
        return { ...container, AZURE_STORAGE_SAS: url, AZURE_STORAGE_ENDPOINT: endpoint };
      }
      const given = `AccountName=${account};AccountKey=${accountKey};BlobEndpoint=${endpoint};`;
      return { ...container, AZURE_STORAGE_CONNECTION_STRING: given };
    };
    return {
      type: 'azure',
      origin: new URL(server.endpoint).origin,
      settingsAt: at,
      marks: () => (way === 'signature' ? [token, signature] : [accountKey]),
      async stop() {
        await server.stop();
        await rm(root, { recursive: true });
      },
    };
  };
}

/** Every type that speaks HTTP, with every way to give its secrets. */
export const MARKED_PLACES: Readonly<Record<string, () => Promise<MarkedPlace>>> = {
  S3: startS3,
  WebDAV: startWebDav,
  Dropbox: startDropbox,
  'Azure with a key': startAzureWith('key'),
  'Azure with a connection string': startAzureWith('connection string'),
  'Azure with a signature': startAzureWith('signature'),
};
