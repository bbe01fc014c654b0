import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { freePort, startDaemon } from './daemon.ts';
import {
  BASE_PATH,
  basicLine,
  type Home,
  makeHome,
  REALM,
  randomPassword,
  USERNAME,
  type WebDavOptions,
  type WebDavServer,
} from './webdav-server.ts';

/** Debian packages that this server needs; its service is neither used nor has to be running. */
export const packages = ['nginx-light', 'libnginx-mod-http-dav-ext', 'mount'] as const;

const EXTENSION = '/usr/lib/nginx/modules/ngx_http_dav_ext_module.so';

export interface NginxOptions extends WebDavOptions {
  /** nginx knows no Digest. */
  readonly auth?: 'basic' | 'none';
  /** False leaves MOVE out of what it takes. */
  readonly moves?: boolean;
}

/**
 * nginx on loopback, with its module for writing and the one for PROPFIND and OPTIONS. It keeps the
 * whole body of a PUT in a file elsewhere before it stores it, and makes missing folders.
 */
export async function startNginx(options: NginxOptions = {}): Promise<WebDavServer> {
  const home = await makeHome('nginx', options.smallBytes);
  const port = await freePort();
  const password = options.password ?? randomPassword();
  try {
    await mkdir(home.at('temporary'));
    await writeFile(home.at('users'), basicLine(password));
    if (options.tls) {
      await writeFile(home.at('key.pem'), options.tls.key);
      await writeFile(home.at('cert.pem'), options.tls.cert);
    }
    await writeFile(home.at('nginx.conf'), configuration(home, port, options).join('\n'));
    const daemon = await startDaemon({
      command: '/usr/sbin/nginx',
      args: ['-p', home.at(''), '-c', home.at('nginx.conf'), '-e', home.at('error.log')],
      port,
      log: () => readFile(home.at('error.log'), 'utf8'),
    });
    return {
      url: `${options.tls ? 'https' : 'http'}://127.0.0.1:${port}${BASE_PATH}`,
      username: USERNAME,
      password,
      folder: home.storage,
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

function configuration(home: Home, port: number, options: NginxOptions): string[] {
  const { auth = 'basic', mostBodyBytes = 0, tls } = options;
  return [
    ...(process.getuid?.() === 0 ? [`user ${userInfo().username};`] : []),
    `load_module ${EXTENSION};`,
    'daemon off;',
    'worker_processes 1;',
    `pid ${home.at('pid')};`,
    `error_log ${home.at('error.log')} warn;`,
    'events { worker_connections 256; }',
    'http {',
    'access_log off;',
    'include /etc/nginx/mime.types;',
    'default_type application/octet-stream;',
    ...['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (name) => `${name}_temp_path ${home.at(`temporary/${name}`)};`,
    ),
    'server {',
    `listen 127.0.0.1:${port}${tls ? ' ssl' : ''};`,
    ...(tls
      ? [`ssl_certificate ${home.at('cert.pem')};`, `ssl_certificate_key ${home.at('key.pem')};`]
      : []),
    `client_max_body_size ${mostBodyBytes};`,
    `location ${BASE_PATH}/ {`,
    `alias ${home.storage}/;`,
    `dav_methods PUT DELETE MKCOL COPY${options.moves === false ? '' : ' MOVE'};`,
    'dav_ext_methods PROPFIND OPTIONS;',
    'create_full_put_path on;',
    'dav_access user:rw group:r all:r;',
    ...(auth === 'basic'
      ? [`auth_basic ${REALM};`, `auth_basic_user_file ${home.at('users')};`]
      : []),
    '}',
    '}',
    '}',
    '',
  ];
}
