import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { startChildServer } from '../test/crash/places/child-server.ts';
import { startMeasuredFerry } from './ferry.ts';
import { measure } from './measure.ts';
import type { Measurement } from './measurement.ts';
import { PLACES } from './places/all.ts';

export interface BenchmarkOptions {
  readonly types: readonly string[];
  readonly sizes: readonly number[];
  /** How many of each size one run delivers. */
  readonly archives: number;
  readonly rtts: readonly number[];
  /** Of each measurement; by size unless given. */
  readonly runs?: number | undefined;
  readonly storage: Measurement['storage'];
  /** A folder for templates and what is stored. */
  readonly scratch: string;
  readonly say: (line: string) => void;
}

const SOURCE = new URL('./processes/source.ts', import.meta.url);
const source = z.object({ port: z.number() });
const MIB = 1024 ** 2;

/** Measures every type with every size over every line, one after the other. */
export async function runBenchmark(options: BenchmarkOptions): Promise<Measurement[]> {
  const { archives, types, sizes, rtts, runs, storage, scratch, say } = options;
  await using started = new AsyncDisposableStack();
  const child = await startChildServer(SOURCE, () => ({}));
  started.defer(() => child.halt('SIGKILL'));
  const sourceEndpoint = `http://127.0.0.1:${source.parse(child.told).port}`;
  const ferry = started.use(await startMeasuredFerry(scratch, sourceEndpoint));
  const measurements: Measurement[] = [];
  for (const type of types) {
    const folder = join(scratch, type);
    await mkdir(folder);
    const start = PLACES[type];
    if (!start) throw new Error(`There is no server of type ${type}.`);
    const place = await start(folder);
    try {
      for (const rttMs of rtts) {
        for (const sizeBytes of sizes) {
          const shared = { ferry, place, sourceEndpoint, storage, say };
          const of = { archives, sizeBytes, rttMs, runs: runs ?? runsOf(archives * sizeBytes) };
          measurements.push(await measure({ ...shared, ...of }));
        }
      }
    } finally {
      await place.stop();
    }
  }
  return measurements;
}

/** What is short varies more. */
function runsOf(bytes: number): number {
  if (bytes <= 64 * MIB) return 7;
  return bytes <= 1024 * MIB ? 5 : 3;
}
