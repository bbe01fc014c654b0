import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

const READY_MS = 30_000;
/** How long a server may take to end before it is killed. */
const PATIENCE_MS = 5000;

export interface DaemonOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** Where it listens on 127.0.0.1 once it is ready. */
  readonly port: number;
  readonly env?: Readonly<Record<string, string>>;
  /** What it was doing when it did not start, in its own words. */
  log?(): Promise<string>;
}

export interface Daemon {
  /** Ends it in the middle of whatever it does. */
  stop(): Promise<void>;
}

/** Starts a server that stays in the foreground, waits until it listens, and ends it with this process. */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const errors: string[] = [];
  // Ended with this process, however that ends.
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', options.command, ...options.args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...options.env },
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors.push(text);
    if (errors.length > 100) errors.shift();
  });
  child.on('error', (error) => errors.push(error.message));
  try {
    await untilListening(options.port, child);
  } catch (cause) {
    await end(child);
    const said = `${errors.join('')}\n${(await options.log?.().catch(() => '')) ?? ''}`;
    throw new Error(`${options.command} did not start.\n${said.slice(-4000)}`, { cause });
  }
  return { stop: () => end(child) };
}

/** A port of 127.0.0.1 on which nothing listens. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  if (address === null || typeof address === 'string') throw new Error('No free port');
  probe.close();
  await once(probe, 'close');
  return address.port;
}

async function untilListening(port: number, child: ChildProcess): Promise<void> {
  const giveUpAt = Date.now() + READY_MS;
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const answers = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (hasEnded(child)) throw new Error(`It ended with status ${child.exitCode}.`);
    if (answers) return;
    if (Date.now() > giveUpAt) throw new Error(`Nothing listens at port ${port}.`);
    await delay(20);
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
}

async function end(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const patience = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
  await ended;
  clearTimeout(patience);
}
