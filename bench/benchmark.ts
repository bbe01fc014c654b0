import { startMeasuredFerry } from './ferry.ts';
import { measure } from './measure.ts';
import type { Measurement } from './measurement.ts';
import { forEachPlace } from './places/all.ts';
import { startSource } from './source-process.ts';

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

const MIB = 1024 ** 2;

/** Measures every type with every size over every line, one after the other. */
export async function runBenchmark(options: BenchmarkOptions): Promise<Measurement[]> {
  const { archives, types, sizes, rtts, runs, storage, scratch, say } = options;
  await using source = await startSource();
  await using ferry = await startMeasuredFerry(scratch, source.endpoint);
  const measurements: Measurement[] = [];
  await forEachPlace(types, scratch, async (place) => {
    for (const rttMs of rtts) {
      for (const sizeBytes of sizes) {
        const shared = { ferry, place, sourceEndpoint: source.endpoint, storage, say };
        const of = { archives, sizeBytes, rttMs, runs: runs ?? runsOf(archives * sizeBytes) };
        measurements.push(await measure({ ...shared, ...of }));
      }
    }
  });
  return measurements;
}

/** What is short varies more. */
function runsOf(bytes: number): number {
  if (bytes <= 64 * MIB) return 7;
  return bytes <= 1024 * MIB ? 5 : 3;
}
