import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { BlobServiceClient, StorageSharedKeyCredential } from '@azure/storage-blob';
import { z } from 'zod';
import { startAzurite } from '../../local/azurite.ts';
import { startDropboxFake } from '../../local/dropbox/server.ts';
import { startApache } from '../servers/apache.ts';
import { officialClient } from '../servers/dropbox-client.ts';
import { startOpenSsh } from '../servers/openssh.ts';
import { startSwift } from '../servers/swift.ts';
import { readByCurl, readByRclone, readBySftp } from './clients.ts';

/** What the official client adds to the metadata of a file that it fetched. */
const downloaded = z.object({ fileBinary: z.instanceof(Buffer) });

/** A real server of one type, and the client that its users have, which knows nothing of Ferry. */
export interface ClientPlace {
  readonly type: string;
  readonly client: string;
  /** What a user writes into the row. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** @param path below the destination's folder */
  read(path: string): Promise<Buffer>;
  stop(): Promise<void>;
}

const FOLDER = 'backups';
/** @param scratch a folder for what servers keep */
export async function startPlaces(scratch: string): Promise<readonly ClientPlace[]> {
  await mkdir(scratch, { recursive: true });
  return Promise.all([
    startSsh(),
    startS3(),
    startAzure(scratch),
    startWebDav(),
    startDropbox(scratch),
  ]);
}

async function startSsh(): Promise<ClientPlace> {
  const server = await startOpenSsh();
  return {
    type: 'ssh',
    client: 'sftp',
    settings: {
      SSH_HOST_NAME: server.host,
      SSH_PORT: server.port,
      SSH_USER: server.user,
      SSH_PASSWORD: server.password,
      SSH_HOST_KEY: server.fingerprint,
      SSH_REMOTE_PATH: FOLDER,
    },
    read: (path) => readBySftp(server, `${FOLDER}/${path}`),
    stop: server.remove,
  };
}

async function startS3(): Promise<ClientPlace> {
  const server = await startSwift();
  await server.createBucket('archives');
  return {
    type: 's3',
    client: 'rclone',
    settings: {
      AWS_S3_BUCKET_NAME: 'archives',
      AWS_S3_PATH: FOLDER,
      AWS_ACCESS_KEY_ID: server.accessKeyId,
      AWS_SECRET_ACCESS_KEY: server.secretAccessKey,
      AWS_ENDPOINT: server.endpoint,
      AWS_ENDPOINT_PROTO: 'http',
    },
    read: (path) => readByRclone(server, `archives/${FOLDER}/${path}`),
    stop: server.stop,
  };
}

async function startAzure(scratch: string): Promise<ClientPlace> {
  const server = await startAzurite({ folder: join(scratch, 'azurite') });
  const { endpoint, account, accountKey } = server;
  const credential = new StorageSharedKeyCredential(account, accountKey);
  const container = new BlobServiceClient(endpoint, credential).getContainerClient('archives');
  await container.create();
  return {
    type: 'azure',
    client: '@azure/storage-blob',
    settings: {
      AZURE_STORAGE_ACCOUNT_NAME: account,
      AZURE_STORAGE_PRIMARY_ACCOUNT_KEY: accountKey,
      AZURE_STORAGE_CONTAINER_NAME: 'archives',
      AZURE_STORAGE_PATH: FOLDER,
      AZURE_STORAGE_ENDPOINT: endpoint,
    },
    read: (path) => container.getBlobClient(`${FOLDER}/${path}`).downloadToBuffer(),
    stop: server.stop,
  };
}

async function startWebDav(): Promise<ClientPlace> {
  const server = await startApache();
  const { url, username, password } = server;
  return {
    type: 'webdav',
    client: 'curl',
    settings: {
      WEBDAV_URL: url,
      WEBDAV_PATH: FOLDER,
      WEBDAV_USERNAME: username,
      WEBDAV_PASSWORD: password,
    },
    read: (path) => readByCurl(server, `${FOLDER}/${path}`),
    stop: server.stop,
  };
}

async function startDropbox(scratch: string): Promise<ClientPlace> {
  const folder = join(scratch, 'dropbox');
  await mkdir(folder);
  const fake = await startDropboxFake({ folder });
  const { endpoint, app } = fake;
  const refreshToken = fake.oauth.connect(app, fake.addAccount('clients'));
  const client = officialClient({
    endpoint,
    clientId: app.key,
    clientSecret: app.secret,
    refreshToken,
  });
  return {
    type: 'dropbox',
    client: 'dropbox',
    settings: {
      DROPBOX_APP_KEY: app.key,
      DROPBOX_APP_SECRET: app.secret,
      DROPBOX_REFRESH_TOKEN: refreshToken,
      DROPBOX_REMOTE_PATH: FOLDER,
      DROPBOX_ENDPOINT: endpoint,
      DROPBOX_OAUTH2_ENDPOINT: endpoint,
    },
    async read(path) {
      const { result } = await client.filesDownload({ path: `/${FOLDER}/${path}` });
      return downloaded.parse(result).fileBinary;
    },
    stop: fake.stop,
  };
}
