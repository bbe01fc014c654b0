import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import type { S3Server } from './s3-server.ts';

/** Debian packages that this server needs; none of their services is used or has to be running. */
export const packages = [
  'swift-proxy',
  'swift-account',
  'swift-container',
  'swift-object',
  'memcached',
] as const;

const READY_MS = 90_000;
const execute = promisify(execFile);

export interface SwiftOptions {
  /** How many objects one page of a list holds. */
  readonly listPage?: number;
  /** The region that signatures have to be for. */
  readonly region?: string;
}

interface Ports {
  readonly proxy: number;
  readonly account: number;
  readonly container: number;
  readonly object: number;
  readonly memcached: number;
}

export interface SwiftServer extends S3Server {
  /** Kills all of its processes at once; what it stored stays. */
  halt(): Promise<void>;
  /** Starts them again, at the same ports. */
  start(): Promise<void>;
}

/**
 * OpenStack Swift with its S3 API on loopback: real signatures, real multipart uploads, one replica.
 * Everything lives in a folder of its own and goes with `stop`.
 */
export async function startSwift(options: SwiftOptions = {}): Promise<SwiftServer> {
  const folder = await mkdtemp(join(tmpdir(), 'swift-'));
  const [proxy, account, container, object, memcached] = await freePorts(5);
  if (!proxy || !account || !container || !object || !memcached) throw new Error('no free ports');
  const ports: Ports = { proxy, account, container, object, memcached };
  const region = options.region ?? 'us-east-1';
  const secretAccessKey = randomBytes(20).toString('hex');
  await configure(folder, ports, { region, secretAccessKey, listPage: options.listPage ?? 1000 });

  const errors: string[] = [];
  const children: ChildProcess[] = [];
  const stop = async () => {
    await Promise.all(children.map((child) => end(child)));
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  const run = (command: string, ...args: string[]) => {
    // Ended with this process, however that ends.
    const child = spawn('setpriv', ['--pdeathsig', 'TERM', command, ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
      cwd: folder,
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => errors.push(text));
    child.on('error', (error) => errors.push(error.message));
    children.push(child);
  };
  const start = async () => {
    const user = userInfo().username;
    run('memcached', '-l', '127.0.0.1', '-p', `${memcached}`, '-U', '0', '-u', user);
    for (const kind of ['account', 'container', 'object']) {
      run(`swift-${kind}-server`, join(folder, `${kind}-server.conf`));
    }
    // The proxy shuns for a minute whom it could not reach once.
    await Promise.all([memcached, account, container, object].map(untilListening));
    run('swift-proxy-server', join(folder, 'proxy-server.conf'));
    await untilListening(proxy);
  };
  const endpoint = `http://127.0.0.1:${proxy}`;
  const keys = { accessKeyId: 'ferry:backup', secretAccessKey };
  const client = new S3Client({ endpoint, region, credentials: keys, forcePathStyle: true });
  const server: SwiftServer = {
    endpoint,
    ...keys,
    region,
    async createBucket(name) {
      await client.send(new CreateBucketCommand({ Bucket: name }));
    },
    async halt() {
      const running = children.splice(0);
      await Promise.all(running.map((child) => end(child, 'SIGKILL')));
    },
    start,
    async stop() {
      client.destroy();
      await stop();
    },
  };
  try {
    await start();
    await server.createBucket('ready');
    return server;
  } catch (cause) {
    await stop();
    throw new Error(`Swift did not start.\n${errors.join('').slice(-4000)}`, { cause });
  }
}

async function untilListening(port: number): Promise<void> {
  const giveUpAt = Date.now() + READY_MS;
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return;
    } catch (error) {
      if (Date.now() > giveUpAt) throw error;
      await delay(50);
    } finally {
      socket.destroy();
    }
  }
}

async function end(child: ChildProcess, by: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill(by);
  const patience = setTimeout(() => child.kill('SIGKILL'), 5000);
  await ended;
  clearTimeout(patience);
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => {
    const address = server.address();
    if (typeof address !== 'object' || address === null) throw new Error('a server has no port');
    return address.port;
  });
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

async function configure(
  folder: string,
  ports: Ports,
  identity: { region: string; secretAccessKey: string; listPage: number },
): Promise<void> {
  const data = join(folder, 'data');
  await mkdir(join(data, 'd1'), { recursive: true });
  const write = (name: string, lines: readonly string[]) =>
    writeFile(join(folder, name), `${lines.join('\n')}\n`);
  const common = [
    '[DEFAULT]',
    'bind_ip = 127.0.0.1',
    `swift_dir = ${folder}`,
    `devices = ${data}`,
    `user = ${userInfo().username}`,
    'mount_check = false',
    // One process each: no more is needed, and each can be ended by its pid.
    'workers = 0',
    'log_level = ERROR',
  ];
  await write('swift.conf', [
    '[swift-hash]',
    `swift_hash_path_suffix = ${identity.secretAccessKey}`,
  ]);
  const ring = async (kind: 'account' | 'container' | 'object') => {
    await write(`${kind}-server.conf`, [
      ...common,
      `bind_port = ${ports[kind]}`,
      '[pipeline:main]',
      `pipeline = ${kind}-server`,
      `[app:${kind}-server]`,
      `use = egg:swift#${kind}`,
    ]);
    const builder = join(folder, `${kind}.builder`);
    await execute('swift-ring-builder', [builder, 'create', '4', '1', '1']);
    await execute('swift-ring-builder', [builder, 'add', `r1z1-127.0.0.1:${ports[kind]}/d1`, '1']);
    // It ends with 1 where it has only a warning to give.
    await execute('swift-ring-builder', [builder, 'rebalance', '--force']).catch(() => {});
  };
  await Promise.all([ring('account'), ring('container'), ring('object')]);
  await write('proxy-server.conf', [
    ...common,
    `bind_port = ${ports.proxy}`,
    '[pipeline:main]',
    'pipeline = catch_errors gatekeeper cache listing_formats s3api tempauth copy slo dlo proxy-server',
    '[app:proxy-server]',
    'use = egg:swift#proxy',
    'account_autocreate = true',
    '[filter:s3api]',
    'use = egg:swift#s3api',
    `location = ${identity.region}`,
    `max_bucket_listing = ${identity.listPage}`,
    'max_upload_part_num = 10000',
    '[filter:tempauth]',
    'use = egg:swift#tempauth',
    `user_ferry_backup = ${identity.secretAccessKey} .admin`,
    '[filter:slo]',
    'use = egg:swift#slo',
    'max_manifest_segments = 10000',
    '[filter:cache]',
    'use = egg:swift#memcache',
    `memcache_servers = 127.0.0.1:${ports.memcached}`,
    ...['catch_errors', 'gatekeeper', 'listing_formats', 'copy', 'dlo'].flatMap((name) => [
      `[filter:${name}]`,
      `use = egg:swift#${name}`,
    ]),
  ]);
}
