import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { dirname } from 'node:path';
import { rcloneVersion } from './rclone.ts';
import { addResults, type Results, results } from './results.ts';

const MIB = 1024 ** 2;

/** Adds what was measured now to what a file has, which is made where it is not there. */
export async function keepResults(
  file: string,
  measured: Partial<Omit<Results, 'v' | 'at' | 'machine' | 'versions'>>,
): Promise<void> {
  const taken = results.parse({
    v: 1,
    at: new Date().toISOString(),
    machine: {
      cpu: cpus()[0]?.model ?? 'unknown',
      cpus: availableParallelism(),
      memoryMiB: Math.round(totalmem() / MIB),
    },
    versions: { node: process.version, rclone: await rcloneVersion() },
    ...measured,
  });
  await mkdir(dirname(file), { recursive: true });
  const kept = await readFile(file, 'utf8').catch(() => undefined);
  const all = kept === undefined ? taken : addResults(results.parse(JSON.parse(kept)), taken);
  await writeFile(file, `${JSON.stringify(all, undefined, 1)}\n`);
}
