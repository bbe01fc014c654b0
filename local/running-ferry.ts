import { readFileSync, rmSync } from 'node:fs';
import { lstat, readFile, rename, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';

/** What a person's tools have to know of a deployment: outputs of its stacks, by their names. */
export const deploymentOutputs = z.object({
  SettingsTable: z.string(),
  RunsTable: z.string(),
  StagingBucket: z.string(),
  JobQueueUrl: z.string(),
  CheckFunction: z.string(),
  SecretsKeyArn: z.string(),
});
export type DeploymentOutputs = z.output<typeof deploymentOutputs>;

/** A Ferry that runs on this machine, as its file tells of it. */
const runningFerry = z.strictObject({
  v: z.literal(1),
  /** The process that ends it. */
  pid: z.number().int(),
  region: z.string(),
  credentials: z.strictObject({ accessKeyId: z.string(), secretAccessKey: z.string() }),
  /** Addresses by service, as the SDK names services: `dynamodb`, `sqs`, … */
  endpoints: z.record(z.string(), z.url()),
  outputs: deploymentOutputs,
});
export type RunningFerry = z.output<typeof runningFerry>;

const OTHERS_MAY = 0o077;

/** Where a running Ferry of this user of the system tells how it is reached. */
export function runningFerryFile(): string {
  return join(tmpdir(), `ferry-${userInfo().uid}.json`);
}

/**
 * Tells where Ferry runs, for `ferry --local`, in a file that nobody else may read or write. A Ferry
 * that is started later takes the place; each removes only what it wrote.
 */
export async function announce(ferry: Omit<RunningFerry, 'v' | 'pid'>): Promise<AsyncDisposable> {
  const file = runningFerryFile();
  const written = `${file}.${process.pid}`;
  const text = `${JSON.stringify({ v: 1, pid: process.pid, ...ferry } satisfies RunningFerry)}\n`;
  await writeFile(written, text, { mode: 0o600, flag: 'wx' });
  await rename(written, file);
  const remove = () => removeOwn(file);
  process.once('exit', remove);
  return {
    async [Symbol.asyncDispose]() {
      process.off('exit', remove);
      remove();
    },
  };
}

/**
 * The Ferry that runs on this machine; undefined where none does.
 * @throws Error where the file is not one that a Ferry of this user of the system wrote
 */
export async function findRunningFerry(): Promise<RunningFerry | undefined> {
  const file = runningFerryFile();
  const found = await lstat(file).catch(() => undefined);
  if (!found) return undefined;
  // The folder is everybody's: whoever can write the file would be handed people's secrets.
  const isOurs = found.isFile() && found.uid === userInfo().uid && (found.mode & OTHERS_MAY) === 0;
  if (!isOurs) throw new Error(`${file} is not yours alone. Remove it, and start Ferry again.`);
  const ferry = runningFerry.safeParse(JSON.parse(await readFile(file, 'utf8')));
  if (!ferry.success) throw new Error(`${file} is of another version of Ferry. Start it again.`);
  return isAlive(ferry.data.pid) ? ferry.data : undefined;
}

/** Synchronous, so that it also happens at the very end of a process. */
function removeOwn(file: string): void {
  try {
    const { pid } = runningFerry.parse(JSON.parse(readFileSync(file, 'utf8')));
    if (pid === process.pid) rmSync(file);
  } catch {
    // It is gone, or somebody else's.
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
