import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FerryError } from '../../functions/core/errors.ts';
import { NO_LIMITS, type Policy } from '../../functions/core/policy.ts';
import { describeProblems } from '../../functions/core/problem.ts';
import { NEVER } from '../../functions/core/stopping.ts';
import type { Destination } from '../../functions/destinations/contract.ts';
import { openEgress } from '../../functions/egress/egress.ts';
import { parseDestination } from '../../functions/platform/parse-destination.ts';
import { type Azurite, startAzurite } from '../../local/azurite.ts';
import type { DropboxFake } from '../../local/dropbox/server.ts';
import { type SftpServer, startSftpServer } from '../../local/sftp-server.ts';
import { generateSshKey } from '../../local/ssh-key.ts';
import { startWebDavServer } from '../../local/webdav-server.ts';
import { type Authority, createAuthority } from '../servers/certificates.ts';
import { startEmbeddedS3 } from '../servers/embedded-s3.ts';
import { type Front, startFront } from '../servers/http-front.ts';
import type { S3Server } from '../servers/s3-server.ts';
import { plainClient as azureClient, settingsOf as azureSettings } from './azure-subject.ts';
import { settingsOf as dropboxSettings, startFake } from './dropbox-subject.ts';
import { deliverSmall } from './effects/effect.ts';
import { settingsOf as s3Settings } from './s3-subject.ts';
import { NO_SURROUNDINGS } from './surroundings.ts';

type Settings = Readonly<Record<string, unknown>>;

/** Servers that users might have, all on loopback. */
interface Servers {
  readonly ssh: SftpServer;
  readonly webdav: { readonly url: string };
  readonly s3: S3Server;
  readonly azure: Azurite;
  readonly dropbox: DropboxFake;
  readonly account: ReturnType<DropboxFake['addAccount']>;
  readonly sealed: Front;
  readonly expired: Front;
  readonly misnamed: Front;
  readonly full: Front;
  readonly authority: Authority;
  readonly stranger: Authority;
  /** Nobody listens there. */
  readonly freePort: number;
}

/** A row whose mistake only its server, or a file, can tell. */
interface Mistake {
  readonly type: string;
  readonly mistake: string;
  readonly settings: (servers: Servers) => Settings;
  readonly policy?: Partial<Policy>;
  /** Staged for the user, by path. */
  readonly files?: Readonly<Record<string, string>>;
  readonly code: string;
  /** The setting that the message has to name, and what to do. */
  readonly names: string;
  readonly remedy: RegExp;
}

const PASSWORD = 'tr0ub4dor-and-three';
const ssh = ({ ssh: { host, port, fingerprint } }: Servers) => ({
  SSH_HOST_NAME: host,
  SSH_PORT: port,
  SSH_USER: 'ada',
  SSH_PASSWORD: PASSWORD,
  SSH_HOST_KEY: fingerprint,
});
const webdav = ({ webdav: { url } }: Servers) => ({
  WEBDAV_URL: url,
  WEBDAV_USERNAME: 'ada',
  WEBDAV_PASSWORD: PASSWORD,
});
const s3 = ({ s3 }: Servers) => s3Settings(s3, 'contract');
const azure = ({ azure }: Servers) => azureSettings(azure);
const dropbox = ({ dropbox, account }: Servers) => dropboxSettings(dropbox, account);
const at = (front: Front, { webdav: { url } }: Servers) =>
  `${front.endpoint}${new URL(url).pathname}`;
const only = (allow: readonly string[]): Partial<Policy> => ({ network: { allow, ports: {} } });

const MISTAKES: readonly Mistake[] = [
  {
    type: 'ssh',
    mistake: 'a port at which nobody listens',
    settings: (servers) => ({ ...ssh(servers), SSH_PORT: servers.freePort }),
    code: 'unreachable',
    names: 'SSH_PORT',
    remedy: /SSH_HOST_NAME/,
  },
  {
    type: 'ssh',
    mistake: 'a wrong password',
    settings: (servers) => ({ ...ssh(servers), SSH_PASSWORD: 'wrong' }),
    code: 'auth-refused',
    names: 'SSH_PASSWORD',
    remedy: /SSH_USER/,
  },
  {
    type: 'ssh',
    mistake: 'a key that the server does not know',
    settings: (servers) => {
      const { SSH_PASSWORD: _, ...rest } = ssh(servers);
      return { ...rest, SSH_IDENTITY_FILE: generateSshKey().private };
    },
    code: 'auth-refused',
    names: 'SSH_IDENTITY_FILE',
    remedy: /Check SSH_USER/,
  },
  {
    type: 'ssh',
    mistake: 'another host key than the server’s',
    settings: (servers) => ({ ...ssh(servers), SSH_HOST_KEY: `SHA256:${'A'.repeat(43)}` }),
    code: 'host-key-changed',
    names: 'SSH_HOST_KEY',
    remedy: /confirm the new key with its operator and change SSH_HOST_KEY/,
  },
  {
    type: 'ssh',
    mistake: 'no host key',
    settings: (servers) => ({ ...ssh(servers), SSH_HOST_KEY: '' }),
    code: 'host-key-unknown',
    names: 'SSH_HOST_KEY',
    remedy: /SHA256:/,
  },
  {
    type: 'ssh',
    mistake: 'a private address in a file',
    settings: (servers) => {
      const { SSH_HOST_NAME: _, ...rest } = ssh(servers);
      return { ...rest, SSH_HOST_NAME_FILE: '.ferry/host' };
    },
    files: { '.ferry/host': '10.0.0.5\n' },
    policy: only([]),
    code: 'address-forbidden',
    names: 'SSH_HOST_NAME',
    remedy: /network\.allow/,
  },
  {
    type: 'ssh',
    mistake: 'a file that nobody staged',
    settings: (servers) => ({ ...ssh(servers), SSH_PASSWORD: '', SSH_IDENTITY_FILE: '.ferry/id' }),
    code: 'setting-invalid',
    names: 'SSH_IDENTITY_FILE',
    remedy: /Stage it there/,
  },
  {
    type: 'ssh',
    mistake: 'a port that speaks no SSH',
    settings: (servers) => ({ ...ssh(servers), SSH_PORT: new URL(servers.webdav.url).port }),
    code: 'unreachable',
    names: 'SSH_PORT',
    remedy: /an SSH server has to listen there/,
  },
  {
    type: 'webdav',
    mistake: 'a wrong password',
    settings: (servers) => ({ ...webdav(servers), WEBDAV_PASSWORD: 'wrong' }),
    code: 'auth-refused',
    names: 'WEBDAV_PASSWORD',
    remedy: /WEBDAV_USERNAME/,
  },
  {
    type: 'webdav',
    mistake: 'a folder that does not exist',
    settings: (servers) => ({ ...webdav(servers), WEBDAV_URL: `${servers.webdav.url}/nowhere` }),
    code: 'not-found',
    names: 'WEBDAV_URL',
    remedy: /Correct the address/,
  },
  {
    type: 'webdav',
    mistake: 'a port at which nobody listens',
    settings: (servers) => ({
      ...webdav(servers),
      WEBDAV_URL: `http://127.0.0.1:${servers.freePort}/`,
    }),
    code: 'unreachable',
    names: 'WEBDAV_URL',
    remedy: /firewall/,
  },
  {
    type: 'webdav',
    mistake: 'a certificate that nobody knows',
    settings: (servers) => ({ ...webdav(servers), WEBDAV_URL: at(servers.sealed, servers) }),
    code: 'tls-untrusted',
    names: 'WEBDAV_URL_CA_CERT',
    remedy: /Paste your authority's certificate/,
  },
  {
    type: 'webdav',
    mistake: 'the certificate of another authority',
    settings: (servers) => ({
      ...webdav(servers),
      WEBDAV_URL: at(servers.sealed, servers),
      WEBDAV_URL_CA_CERT: servers.stranger.pem,
    }),
    code: 'tls-untrusted',
    names: 'WEBDAV_URL_CA_CERT',
    remedy: /Paste your authority's certificate/,
  },
  {
    type: 'webdav',
    mistake: 'a server whose certificate is another host’s',
    settings: (servers) => ({
      ...webdav(servers),
      WEBDAV_URL: at(servers.misnamed, servers),
      WEBDAV_URL_CA_CERT: servers.stranger.pem,
    }),
    code: 'tls-untrusted',
    names: 'WEBDAV_URL',
    remedy: /the name that the certificate is for/,
  },
  {
    type: 'webdav',
    mistake: 'a server whose certificate has run out',
    settings: (servers) => ({
      ...webdav(servers),
      WEBDAV_URL: at(servers.expired, servers),
      WEBDAV_URL_CA_CERT: servers.authority.pem,
    }),
    code: 'tls-untrusted',
    names: 'certificate',
    remedy: /Renew it/,
  },
  {
    type: 'webdav',
    mistake: 'plain http in a file',
    settings: (servers) => {
      const { WEBDAV_URL: _, ...rest } = webdav(servers);
      return { ...rest, WEBDAV_URL_FILE: '.ferry/url' };
    },
    files: { '.ferry/url': 'http://cloud.example.com/dav' },
    policy: { plainHttp: false },
    code: 'policy',
    names: 'WEBDAV_URL',
    remedy: /begin WEBDAV_URL with https.*plainHttp/,
  },
  {
    type: 'webdav',
    mistake: 'a disk that is full',
    settings: (servers) => ({ ...webdav(servers), WEBDAV_URL: at(servers.full, servers) }),
    code: 'no-space',
    names: 'WEBDAV_USERNAME',
    remedy: /Free some/,
  },
  {
    type: 's3',
    mistake: 'a bucket that does not exist',
    settings: (servers) => ({ ...s3(servers), AWS_S3_BUCKET_NAME: 'nobodys' }),
    code: 'not-found',
    names: 'AWS_S3_BUCKET_NAME',
    remedy: /Ferry never creates buckets/,
  },
  {
    type: 's3',
    mistake: 'a port at which nobody listens',
    settings: (servers) => ({
      ...s3(servers),
      AWS_ENDPOINT: `http://127.0.0.1:${servers.freePort}`,
    }),
    code: 'unreachable',
    names: 'AWS_ENDPOINT',
    remedy: /firewall/,
  },
  {
    type: 's3',
    mistake: 'https to a port that speaks http',
    settings: (servers) => ({
      ...s3(servers),
      AWS_ENDPOINT: servers.s3.endpoint.replace('http:', 'https:'),
    }),
    code: 'protocol',
    names: 'AWS_ENDPOINT_PROTO',
    remedy: /http/,
  },
  {
    type: 's3',
    mistake: 'keys from an address that the operator does not list',
    settings: (servers) => {
      const { AWS_ACCESS_KEY_ID: _, AWS_SECRET_ACCESS_KEY: __, ...rest } = s3(servers);
      return { ...rest, AWS_IAM_ROLE_ENDPOINT: 'http://169.254.169.254/' };
    },
    code: 'setting-invalid',
    names: 'AWS_IAM_ROLE_ENDPOINT',
    remedy: /AWS_ACCESS_KEY_ID/,
  },
  {
    type: 'azure',
    mistake: 'a wrong key',
    settings: (servers) => ({
      ...azure(servers),
      AZURE_STORAGE_PRIMARY_ACCOUNT_KEY: Buffer.alloc(64).toString('base64'),
    }),
    code: 'auth-refused',
    names: 'AZURE_STORAGE_PRIMARY_ACCOUNT_KEY',
    remedy: /whichever is given/,
  },
  {
    type: 'azure',
    mistake: 'a container that does not exist',
    settings: (servers) => ({ ...azure(servers), AZURE_STORAGE_CONTAINER_NAME: 'nowhere' }),
    code: 'not-found',
    names: 'AZURE_STORAGE_CONTAINER_NAME',
    remedy: /Ferry never creates containers/,
  },
  {
    type: 'dropbox',
    mistake: 'a token that was taken back',
    settings: (servers) => ({ ...dropbox(servers), DROPBOX_REFRESH_TOKEN: 'taken-back' }),
    code: 'auth-refused',
    names: 'DROPBOX_REFRESH_TOKEN',
    remedy: /ferry dropbox connect/,
  },
  {
    type: 'dropbox',
    mistake: 'the key of another app',
    settings: (servers) => ({ ...dropbox(servers), DROPBOX_APP_KEY: 'another' }),
    code: 'auth-refused',
    names: 'DROPBOX_APP_KEY',
    remedy: /DROPBOX_APP_SECRET/,
  },
];

let servers: Servers;
const closing: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  const root = await mkdtemp(join(tmpdir(), 'ferry-wrong-'));
  closing.push(() => rm(root, { recursive: true }));
  const users = { ada: PASSWORD };
  const ssh = await startSftpServer({ root: join(root, 'ssh'), users });
  const webdav = await startWebDavServer({ root: join(root, 'webdav'), users });
  const s3 = await startEmbeddedS3();
  await s3.createBucket('contract');
  const azure = await startAzurite({ folder: join(root, 'azure') });
  await azureClient(azure).createIfNotExists();
  const dropbox = await startFake();
  const [authority, stranger] = await Promise.all([createAuthority(), createAuthority()]);
  const { origin } = new URL(webdav.url);
  const seal = async (issuer: Authority, host: string, days?: number) =>
    startFront(origin, await issuer.issue(host, days));
  const sealed = await seal(authority, 'IP:127.0.0.1');
  const expired = await seal(authority, 'IP:127.0.0.1', -1);
  const misnamed = await seal(stranger, 'DNS:other.example');
  const full = await startFront(origin);
  full.react(({ method }) => (method === 'PUT' ? { status: 507 } : undefined));
  const listener = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => listener.once('listening', resolve));
  const address = listener.address();
  const freePort = typeof address === 'object' && address !== null ? address.port : 0;
  await new Promise((resolve) => listener.close(resolve));
  servers = {
    ...{ ssh, webdav, s3, azure, dropbox, account: dropbox.addAccount('ada') },
    ...{ sealed, expired, misnamed, full, authority, stranger, freePort },
  };
  closing.push(
    ...[sealed, expired, misnamed, full].map((front) => () => front.stop()),
    ...[authority, stranger].map((one) => () => one.remove()),
    ...[ssh, webdav, s3, azure, dropbox].map((server) => () => server.stop()),
  );
});
afterAll(async () => {
  for (const close of closing.toReversed()) await close();
});

/** What a connection test of the row says, or else a delivery. */
async function tryOut({ type, settings, policy, files = {} }: Mistake): Promise<FerryError> {
  const rules: Policy = { ...NO_LIMITS, ...policy };
  const parsed = parseDestination(type, settings(servers), rules);
  // The row itself is right, as far as anybody can tell from it.
  if (!parsed.ok) throw new Error(describeProblems(parsed.problems));
  let destination: Destination | undefined;
  try {
    destination = await parsed.value.open({
      ...NO_SURROUNDINGS,
      policy: rules,
      egress: openEgress(rules.network),
      readFile: async (path) => files[path],
    });
    for await (const { error } of destination.check(NEVER)) if (error) return error;
    await deliverSmall(destination);
  } catch (error) {
    if (error instanceof FerryError) return error;
    throw error;
  } finally {
    await destination?.close();
  }
  throw new Error('Nothing was found to be wrong.');
}

describe('a row that only shows its mistake when it is used', () => {
  it.each(MISTAKES)('$type: $mistake', async (mistake) => {
    const error = await tryOut(mistake);
    expect({ code: error.code, message: error.message }).toMatchObject({
      code: mistake.code,
      message: expect.stringContaining(mistake.names),
    });
    expect(error.message).toMatch(mistake.remedy);
    expect(error.message).not.toContain(PASSWORD);
  });
});
