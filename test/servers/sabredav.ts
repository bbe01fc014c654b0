import { mkdir, writeFile } from 'node:fs/promises';
import { freePort, startDaemon } from './daemon.ts';
import {
  BASE_PATH,
  digestLine,
  makeHome,
  REALM,
  randomPassword,
  USERNAME,
  type WebDavOptions,
  type WebDavServer,
} from './webdav-server.ts';

/** Debian packages that this server needs. */
export const packages = ['php-cli', 'php-sabre-dav', 'mount'] as const;

export type SabreOptions = Omit<WebDavOptions, 'tls' | 'mostBodyBytes'>;

/**
 * SabreDAV 1.8 with its plugin for PATCH on loopback, in PHP's own web server. That takes many requests
 * at once and answers one after the other, each when its whole body is there, in memory: its workers
 * would outlive it. SabreDAV writes straight into the file, and says that all is well where the disk was
 * full. Its ETags are the MD5 of a file.
 */
export async function startSabre(options: SabreOptions = {}): Promise<WebDavServer> {
  const home = await makeHome('sabre', options.smallBytes);
  const port = await freePort();
  const password = options.password ?? randomPassword();
  try {
    await mkdir(home.at('temporary'));
    await writeFile(home.at('users'), digestLine(password));
    await writeFile(home.at('server.php'), SCRIPT);
    const daemon = await startDaemon({
      command: '/usr/bin/php',
      args: [
        ...['-d', 'display_errors=0', '-d', 'log_errors=0', '-d', 'error_reporting=0'],
        ...['-d', 'enable_post_data_reading=0', '-d', 'max_execution_time=0'],
        ...['-d', `upload_tmp_dir=${home.at('temporary')}`],
        ...['-d', `sys_temp_dir=${home.at('temporary')}`],
        ...['-S', `127.0.0.1:${port}`, home.at('server.php')],
      ],
      port,
      env: {
        FERRY_STORAGE: home.storage,
        FERRY_AUTH: options.auth ?? 'basic',
        FERRY_USERS: home.at('users'),
        FERRY_REALM: REALM,
        FERRY_BASE: BASE_PATH,
      },
    });
    return {
      url: `http://127.0.0.1:${port}${BASE_PATH}`,
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

/** Of its two kinds of files on disk, only `FSExt` knows PATCH; it keeps properties in `.sabredav`. */
const SCRIPT = String.raw`<?php
require_once 'Sabre/autoload.php';
use Sabre\DAV;

class BasicBackend extends DAV\Auth\Backend\AbstractBasic {
  protected function validateUserPass($name, $password) {
    $secret = md5($name . ':' . getenv('FERRY_REALM') . ':' . $password);
    $line = $name . ':' . getenv('FERRY_REALM') . ':' . $secret;
    return in_array($line, file(getenv('FERRY_USERS'), FILE_IGNORE_NEW_LINES), true);
  }
}

$server = new DAV\Server(new DAV\FSExt\Directory(getenv('FERRY_STORAGE')));
$server->setBaseUri(getenv('FERRY_BASE') . '/');
$backends = array(
  'basic' => fn() => new BasicBackend(),
  'digest' => fn() => new DAV\Auth\Backend\File(getenv('FERRY_USERS')),
);
$auth = getenv('FERRY_AUTH');
if (isset($backends[$auth])) {
  $server->addPlugin(new DAV\Auth\Plugin($backends[$auth](), getenv('FERRY_REALM')));
}
$server->addPlugin(new DAV\PartialUpdate\Plugin());
$server->exec();
`;
