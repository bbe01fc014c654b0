import { markdownTable } from '../docs/markdown-table.ts';
import type { Measurement } from './measurement.ts';
import { PRICES } from './prices.ts';
import { cpuSecPerGiB } from './row.ts';

/** MB; 1769 is one whole vCPU, and one process of Node uses little more. */
const ONE_VCPU = 1769;
const MEMORIES = [512, 1024, ONE_VCPU, 2 * ONE_VCPU] as const;
/** MiB/s to a destination: a home's line, a server's, and about what Lambda's network sustains. */
const LINES = [10, 50, 75] as const;
const MIB_PER_PART = 8;
/** GB of AWS's price lists in a TiB. */
const GB_PER_TIB = 1024 ** 4 / 1e9;
const DAYS = 30;
const HOURS = 730;

/** Seconds that one GiB takes: as long as the line needs, or the CPU share of so much memory. */
function secondsPerGiB(cpuSec: number, memoryMb: number, lineMiBs: number): number {
  const vcpus = Math.min(1, memoryMb / ONE_VCPU);
  return Math.max(cpuSec / vcpus, 1024 / lineMiBs);
}

/** USD that Ferry takes for one TiB, data out aside: Lambda's time and the reads from staging. */
export function usdPerTiB(cpuSec: number, memoryMb: number, lineMiBs: number): number {
  const seconds = 1024 * secondsPerGiB(cpuSec, memoryMb, lineMiBs);
  const gets = 1024 ** 2 / MIB_PER_PART;
  return seconds * (memoryMb / 1024) * PRICES.lambda.usd + (gets / 1e6) * PRICES.gets.usd;
}

/**
 * Requests of one run with one archive of several parts, as the steps of a calm round of
 * `npm run crash` have them, and the tick and the row's own before it.
 */
export const REQUESTS_PER_RUN = { writes: 16, reads: 20, queue: 4, keys: 1, lambdaCalls: 2 };

/** USD of one run, its bytes aside. */
export function usdPerRun(): number {
  const { keys, lambdaCalls, queue, reads, writes } = REQUESTS_PER_RUN;
  const millions =
    writes * PRICES.writes.usd +
    reads * PRICES.reads.usd +
    queue * PRICES.queue.usd +
    keys * PRICES.keys.usd +
    lambdaCalls * PRICES.lambdaCalls.usd;
  return millions / 1e6;
}

/** What a delivery costs, as Markdown, by the CPU time that was measured for 1 GiB near by. */
export function describeCosts(measurements: readonly Measurement[]): string {
  const near = measurements.filter(
    ({ archives, rttMs, sizeMiB }) => archives === 1 && rttMs === 0 && sizeMiB === 1024,
  );
  const ferry = near.flatMap((one) => {
    const cpuSec = cpuSecPerGiB(one, one.ferry.warm);
    return LINES.map((line) => {
      const costs = MEMORIES.map((memory) => usdPerTiB(cpuSec, memory, line).toFixed(2));
      return [one.type, cpuSec.toFixed(1), `${line} MiB/s`, ...costs];
    });
  });
  const others = [
    ['Transfer Family SFTP connector', 'SSH alone', PRICES.connector.usd * GB_PER_TIB],
    ['DataSync', 'S3-compatible and Azure alone', PRICES.dataSync.usd * GB_PER_TIB],
    [
      't4g.small with rclone, at 1 TiB a month',
      'and whoever looks after it',
      PRICES.instance.usd * HOURS,
    ],
    [
      'data out to the internet, for all of them',
      'not within a region',
      PRICES.egress.usd * GB_PER_TIB,
    ],
  ] as const;
  const gib = Math.max(...near.map((one) => cpuSecPerGiB(one, one.ferry.warm)), 0);
  const month = DAYS * (usdPerRun() + usdPerTiB(gib, ONE_VCPU, 50) / 1024);
  return [
    'USD for one TiB, data out aside, by how fast the destination takes it and by memory of the function (MB):',
    '',
    markdownTable(['type', 'CPU s/GiB', 'line', ...MEMORIES.map(String)], ferry),
    '',
    'Beside it:',
    '',
    markdownTable(
      ['', '', 'USD for one TiB'],
      others.map(([who, where, usd]) => [who, where, usd.toFixed(2)]),
    ),
    '',
    `A user with a GiB each night, to the type that takes most CPU time at 50 MiB/s: ${month.toFixed(3)} USD a month, of which the requests of ${DAYS} runs are ${(DAYS * usdPerRun()).toFixed(4)}.`,
    '',
    'Unit prices; look at the source before one is quoted:',
    '',
    markdownTable(
      ['', 'USD', 'per', 'source'],
      Object.values(PRICES).map(({ per, source, usd, what }) => [what, `${usd}`, per, source]),
    ),
    '',
  ].join('\n');
}
