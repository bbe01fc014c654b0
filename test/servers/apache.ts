import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { freePort, startDaemon } from './daemon.ts';
import {
  BASE_PATH,
  basicLine,
  digestLine,
  type Home,
  makeHome,
  REALM,
  randomPassword,
  USERNAME,
  type WebDavOptions,
  type WebDavServer,
} from './webdav-server.ts';

/** Debian packages that this server needs; its service is neither used nor has to be running. */
export const packages = ['apache2', 'mount'] as const;

const MODULES = '/usr/lib/apache2/modules';
/** Whom Debian made for it: workers never run as root. */
const WORKER = 'www-data';
const run = promisify(execFile);

export interface ApacheOptions extends WebDavOptions {
  /** How long a nonce of Digest is good for; 300 s unless given. */
  readonly nonceSeconds?: number;
}

export interface ApacheServer extends WebDavServer {
  /** Ends it in the middle of whatever it does; what it stored stays. */
  halt(): Promise<void>;
  /** Starts it again, at the same port. */
  start(): Promise<void>;
}

/** Apache's mod_dav on loopback, with a configuration, a lock database and a storage of its own. */
export async function startApache(options: ApacheOptions = {}): Promise<ApacheServer> {
  const home = await makeHome('apache', options.smallBytes);
  const port = await freePort();
  const password = options.password ?? randomPassword();
  const isRoot = process.getuid?.() === 0;
  try {
    await mkdir(home.at('locks'));
    if (isRoot) await run('chown', [`${WORKER}:`, home.storage, home.at('locks')]);
    await writeFile(home.at('basic'), basicLine(password));
    await writeFile(home.at('digest'), digestLine(password));
    if (options.tls) {
      await writeFile(home.at('key.pem'), options.tls.key);
      await writeFile(home.at('cert.pem'), options.tls.cert);
    }
    const lines = [
      ...base(home, port),
      ...(isRoot ? [`User ${WORKER}`, `Group ${WORKER}`] : []),
      ...(options.tls ? encryption(home) : []),
      ...(options.mostBodyBytes ? [`LimitRequestBody ${options.mostBodyBytes}`] : []),
      `Alias ${BASE_PATH} ${home.storage}`,
      `<Directory ${home.storage}>`,
      'Dav On',
      ...login(home, options),
      '</Directory>',
      '',
    ];
    await writeFile(home.at('apache.conf'), lines.join('\n'));
    const start = () =>
      startDaemon({
        command: '/usr/sbin/apache2',
        args: ['-f', home.at('apache.conf'), '-DFOREGROUND'],
        port,
        log: () => readFile(home.at('error.log'), 'utf8'),
      });
    let daemon = await start();
    return {
      url: `${options.tls ? 'https' : 'http'}://127.0.0.1:${port}${BASE_PATH}`,
      username: USERNAME,
      password,
      folder: home.storage,
      halt: () => daemon.stop(),
      async start() {
        daemon = await start();
      },
      async stop() {
        await daemon.stop();
        await home.remove();
      },
    };
  } catch (error) {
    await home.remove();
    throw error;
  }
}

const module = (name: string) => `LoadModule ${name}_module ${MODULES}/mod_${name}.so`;

function base(home: Home, port: number): string[] {
  return [
    ...['mpm_event', 'authz_core', 'authz_user', 'authn_core', 'authn_file', 'alias'].map(module),
    ...['auth_basic', 'auth_digest', 'dav', 'dav_fs', 'mime', 'setenvif'].map(module),
    `ServerRoot ${home.at('')}`,
    `DefaultRuntimeDir ${home.at('')}`,
    `PidFile ${home.at('pid')}`,
    `ErrorLog ${home.at('error.log')}`,
    'LogLevel warn',
    'ServerName 127.0.0.1',
    `Listen 127.0.0.1:${port}`,
    'StartServers 1',
    'ServerLimit 1',
    'ThreadsPerChild 32',
    'MaxRequestWorkers 32',
    'TypesConfig /etc/mime.types',
    'KeepAlive On',
    'KeepAliveTimeout 5',
    'MaxKeepAliveRequests 100',
    `DavLockDB ${home.at('locks/lock')}`,
    '<Directory />',
    'AllowOverride None',
    'Require all denied',
    '</Directory>',
  ];
}

function encryption(home: Home): string[] {
  return [
    module('socache_shmcb'),
    module('ssl'),
    'SSLEngine on',
    `SSLCertificateFile ${home.at('cert.pem')}`,
    `SSLCertificateKeyFile ${home.at('key.pem')}`,
  ];
}

function login(home: Home, { auth = 'basic', nonceSeconds }: ApacheOptions): string[] {
  switch (auth) {
    case 'none':
      return ['Require all granted'];
    case 'basic':
      return [
        'AuthType Basic',
        `AuthName ${REALM}`,
        `AuthUserFile ${home.at('basic')}`,
        'Require valid-user',
      ];
    case 'digest':
      return [
        'AuthType Digest',
        `AuthName ${REALM}`,
        `AuthUserFile ${home.at('digest')}`,
        `AuthDigestNonceLifetime ${nonceSeconds ?? 300}`,
        'Require valid-user',
      ];
  }
}
