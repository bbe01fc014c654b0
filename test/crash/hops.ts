import { join } from 'node:path';
import { sampleBytes } from '../contract/sample.ts';
import { openChance } from './chance.ts';
import { startCrashFerry } from './ferry.ts';
import { HOP_PLACES, startPlace } from './places/all.ts';
import { columns } from './report.ts';
import { runRound } from './round.ts';
import { calm } from './trouble.ts';

/** What one type came to, for programs. */
export interface HopRow {
  readonly type: string;
  readonly server: string;
  /** Invocations that it took. */
  readonly hops: number;
  /** Bytes of the archive. */
  readonly bytes: number;
  /** Bytes sent to the destination, of everything, over the bytes of the archive. */
  readonly bytesRatio: number;
  readonly seconds: number;
  readonly failures: readonly string[];
}

export interface HopsOptions {
  /** Names of servers. */
  readonly names: readonly string[];
  /** A folder for what is stored. */
  readonly scratch: string;
  readonly say: (line: string) => void;
  /** For how many hops there are bytes; more than the 30 that are asked for unless given. */
  readonly hops?: number;
}

const MIB = 1024 ** 2;
/** So many hops make the whole archive; the last one finds a few bytes. */
const HOPS = 32;
export const LEAST_HOPS = 30;
/** Nothing is sent twice: what is more than the archive is the protocol's. */
export const MOST_RATIO = 1.02;
const AT_ONCE = 3;
/** An invocation moves what takes a fifth of this, and keeps the rest back: time for a busy machine. */
const FUNCTION_SECONDS = 20;
const PATIENCE_MS = 900_000;

/** Delivers one archive to each server in invocations so short that it takes many, on a slow line. */
export async function runHops(options: HopsOptions): Promise<HopRow[]> {
  const { names, scratch, say, hops: planned = HOPS } = options;
  const least = Math.min(planned, LEAST_HOPS);
  const lines: string[] = [];
  await using ferry = await startCrashFerry(
    scratch,
    FUNCTION_SECONDS,
    (line) => void lines.push(line),
  );
  const left = [...names];
  const rows: HopRow[] = [];
  const lane = async () => {
    for (let name = left.shift(); name !== undefined; name = left.shift()) {
      const place = await startPlace(HOP_PLACES, name, join(scratch, name));
      try {
        const userId = `hops-${name}`;
        const size = planned * place.hopBytes + 11;
        const chance = openChance(1);
        const patienceMs = PATIENCE_MS;
        const round = { ferry, place, userId, trouble: calm(), chance, patienceMs };
        const { failures, hops, ms, sentBytes } = await runRound({
          ...round,
          archive: sampleBytes(size, name),
        });
        const ratio = sentBytes / size;
        const row = {
          type: name,
          server: place.server,
          hops,
          bytes: size,
          bytesRatio: Math.round(ratio * 10_000) / 10_000,
          seconds: Math.round(ms / 1000),
          failures: [
            ...failures,
            ...(hops < least ? [`only ${hops} hops`] : []),
            ...(ratio >= MOST_RATIO ? [`${ratio.toFixed(3)} times its bytes were sent`] : []),
          ],
        };
        rows.push(row);
        const verdict = row.failures.length === 0 ? '✓' : `✗ ${row.failures.join('; ')}`;
        say(`${verdict} ${name}: ${hops} hops, ${row.bytesRatio} × bytes, ${row.seconds} s`);
        if (row.failures.length > 0) for (const line of lines) if (line.includes(userId)) say(line);
      } finally {
        await place.stop();
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return rows;
}

export function formatHops(rows: readonly HopRow[]): string {
  const head = ['type', 'server', 'size', 'hops', 'sent/size', 'time'];
  const lines = rows.map((row) => [
    ...[row.type, row.server, `${Math.round(row.bytes / MIB)} MiB`, `${row.hops}`],
    ...[`${row.bytesRatio}`, `${row.seconds} s`],
  ]);
  return columns([head, ...lines]);
}
