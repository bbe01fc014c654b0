import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';

export interface AzuriteOptions {
  /** Holds what is stored; made when missing. */
  readonly folder: string;
  /** Speaks https with this key and certificate, PEM. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** A free port unless given. */
  readonly port?: number;
  /** Base64; one for all servers of this process unless given. */
  readonly accountKey?: string;
  /** How many blobs one page of a list holds, for every server of this process. */
  readonly listPage?: number;
}

export interface Azurite {
  /** Of the account: `http://127.0.0.1:<port>/<account>`, or https. */
  readonly endpoint: string;
  readonly account: string;
  /** Base64. */
  readonly accountKey: string;
  stop(): Promise<void>;
}

/** What is used of Azurite, which is CommonJS and has no types; arguments in the order of its constructor. */
interface BlobServer {
  getHttpServerAddress(): string;
  start(): Promise<void>;
  close(): Promise<void>;
}
type BlobConfiguration = object;
interface ConfigurationModule {
  readonly default: new (
    host: string,
    port: number,
    keepAliveSeconds: number,
    metadataPath: string,
    extentsPath: string,
    persistence: readonly {
      readonly locationId: string;
      readonly locationPath: string;
      readonly maxConcurrency: number;
    }[],
    accessLog: boolean,
    accessLogStream: undefined,
    debugLog: boolean,
    debugLogPath: undefined,
    loose: boolean,
    skipApiVersionCheck: boolean,
    certPath: string,
    keyPath: string,
  ) => BlobConfiguration;
}
interface ServerModule {
  readonly default: new (configuration: BlobConfiguration) => BlobServer;
}
interface ConstantsModule {
  DEFAULT_LIST_BLOBS_MAX_RESULTS: number;
}

const load = createRequire(import.meta.url);

const ACCOUNT = 'ferrylocal';
/** One for the process: Azurite reads its accounts from the environment. */
const ACCOUNT_KEY = randomBytes(64).toString('base64');

/** Azure Blob storage on loopback: Microsoft's emulator Azurite, in this process, kept on disk. */
export async function startAzurite(options: AzuriteOptions): Promise<Azurite> {
  const { folder, tls, listPage, port = 0, accountKey = ACCOUNT_KEY } = options;
  // Loaded when it is wanted: it takes most of a second.
  const Configuration: ConfigurationModule = load('azurite/dist/src/blob/BlobConfiguration.js');
  const Server: ServerModule = load('azurite/dist/src/blob/BlobServer.js');
  const constants: ConstantsModule = load('azurite/dist/src/blob/utils/constants.js');
  process.env.AZURITE_ACCOUNTS = `${ACCOUNT}:${accountKey}`;
  if (listPage !== undefined) constants.DEFAULT_LIST_BLOBS_MAX_RESULTS = listPage;
  await mkdir(folder, { recursive: true });
  const certPath = join(folder, 'cert.pem');
  const keyPath = join(folder, 'key.pem');
  if (tls) {
    await writeFile(certPath, tls.cert);
    await writeFile(keyPath, tls.key);
  }
  const extents = { locationId: 'Default', locationPath: join(folder, 'extents') };
  const configuration = new Configuration.default(
    '127.0.0.1',
    port,
    5,
    join(folder, 'metadata.json'),
    join(folder, 'extents.json'),
    [{ ...extents, maxConcurrency: 10 }],
    false,
    undefined,
    false,
    undefined,
    false,
    true,
    tls ? certPath : '',
    tls ? keyPath : '',
  );
  const server = new Server.default(configuration);
  await server.start();
  return {
    endpoint: `${server.getHttpServerAddress()}/${ACCOUNT}`,
    account: ACCOUNT,
    accountKey,
    stop: () => server.close(),
  };
}
