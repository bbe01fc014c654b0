import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { RunningFerry } from '../../local/running-ferry.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The command line as a person uses it, with nothing of this machine's AWS settings. */
export interface CommandLine extends AsyncDisposable {
  ferry(
    args: readonly string[],
    environment?: Readonly<Record<string, string>>,
  ): ChildProcessWithoutNullStreams;
}

/** @param running what `--local` finds, where anything is to be found */
export async function openCommandLine(
  running?: Pick<RunningFerry, 'endpoints'> & { outputs?: Partial<RunningFerry['outputs']> },
): Promise<CommandLine> {
  const folder = await mkdtemp(join(tmpdir(), 'command-line-'));
  const elsewhere = 'nowhere';
  if (running) {
    const ferry: RunningFerry = {
      v: 1,
      pid: process.pid,
      region: 'eu-central-1',
      credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
      endpoints: running.endpoints,
      outputs: {
        ...{ SettingsTable: elsewhere, RunsTable: elsewhere, StagingBucket: elsewhere },
        ...{ JobQueueUrl: elsewhere, CheckFunction: elsewhere, SecretsKeyArn: elsewhere },
        ...running.outputs,
      },
    };
    const file = join(folder, `ferry-${userInfo().uid}.json`);
    await writeFile(file, JSON.stringify(ferry), { mode: 0o600 });
  }
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('AWS_'));
  return {
    ferry: (args, environment = {}) =>
      spawn(process.execPath, ['cli/main.ts', ...args], {
        cwd: ROOT,
        env: { ...Object.fromEntries(own), TMPDIR: folder, ...environment },
      }),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

/** One server under the name of every service, of which a test needs but one. */
export function everyService(endpoint: string): Readonly<Record<string, string>> {
  return { dynamodb: endpoint, kms: endpoint, lambda: endpoint, s3: endpoint, sqs: endpoint };
}

export interface Ran {
  readonly status: number | null;
  /** Standard output. */
  readonly printed: string;
  /** Standard error. */
  readonly told: string;
  /** The last line of standard output, where that is JSON. */
  readonly document: unknown;
}

/** Runs one command line to its end. @param input for its standard input */
export async function runCommand(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  input: Buffer | string = '',
): Promise<Ran> {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('AWS_'));
  const running = spawn(process.execPath, ['cli/main.ts', ...args], {
    cwd: ROOT,
    env: { ...Object.fromEntries(own), ...environment },
  });
  // It may end without reading all of it.
  running.stdin.on('error', () => {});
  running.stdin.end(input);
  const [[status], printed, told] = await Promise.all([
    once(running, 'close'),
    text(running.stdout),
    text(running.stderr),
  ]);
  return { status, printed, told, document: parseLast(printed) };
}

function parseLast(printed: string): unknown {
  try {
    return JSON.parse(printed.trim().split('\n').at(-1) ?? '');
  } catch {
    return undefined;
  }
}
