import { isDeepStrictEqual } from 'node:util';
import { markdownTable } from '../docs/markdown-table.ts';
import type { CountedRun } from './counted-run.ts';
import { ONE_VCPU, usdOfSeconds, vcpusOf } from './function-memory.ts';
import type { Measurement } from './measurement.ts';
import { PRICES } from './prices.ts';
import { type RequestCount, requestsOf, unitsOf } from './request-count.ts';
import { cpuSecPerGiB, sizeText } from './row.ts';
import type { Tick } from './tick.ts';

const MEMORIES = [512, 1024, ONE_VCPU, 2 * ONE_VCPU] as const;
/** MiB/s to a destination: a home's line, a server's, and about what Lambda's network sustains. */
const LINES = [10, 50, 75] as const;
/** GB of AWS's price lists in a TiB. */
const GB_PER_TIB = 1024 ** 4 / 1e9;
const DAYS = 30;
const HOURS = 730;

/** Seconds that one GiB takes: as long as the line needs, or the CPU share of so much memory. */
function secondsPerGiB(cpuSec: number, memoryMb: number, lineMiBs: number): number {
  return Math.max(cpuSec / vcpusOf(memoryMb), 1024 / lineMiBs);
}

/**
 * USD that Ferry takes for one TiB, data out aside: Lambda's time and the reads from staging.
 * @param gets requests that read one GiB
 */
export function usdPerTiB(
  cpuSec: number,
  memoryMb: number,
  lineMiBs: number,
  gets: number,
): number {
  const seconds = 1024 * secondsPerGiB(cpuSec, memoryMb, lineMiBs);
  const reads = (1024 * gets * PRICES.gets.usd) / 1e6;
  return usdOfSeconds(seconds, memoryMb) + reads;
}

/**
 * What the services do for a run beside what its worker and the tick ask for. The job goes into the sweep
 * index and out of it, and the user moves in the due index, which is two writes each
 * (docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html). Lambda takes the message and
 * deletes it. The row is changed by the tick and by the end of the run, and each time `settings-changed`
 * is called and reads it.
 */
export const AROUND_A_RUN = { writes: 4, reads: 2, queue: 2, lambdaCalls: 3 };

/**
 * USD of one run, reading its archives aside.
 * @param asked by the worker, for the whole job
 * @param tick which found many users, each of whom has a share of what it asked for
 */
export function usdPerRun(asked: readonly RequestCount[], tick: Tick | undefined): number {
  const [job, share] = [unitsOf(asked), unitsOf(tick?.requests ?? [])];
  const { lambdaCalls, queue, reads, writes } = AROUND_A_RUN;
  const users = tick?.users ?? 1;
  const sent = requestsOf(tick?.requests ?? [], 'SQS') / users;
  const millions =
    (job.writes + share.writes / users + writes) * PRICES.writes.usd +
    (job.reads + share.reads / users + reads) * PRICES.reads.usd +
    (requestsOf(asked, 'SQS') + sent + queue) * PRICES.queue.usd +
    requestsOf(asked, 'S3', 'ListObjectsV2') * PRICES.lists.usd +
    requestsOf(asked, 'S3', 'HeadObject') * PRICES.gets.usd +
    requestsOf(asked, 'KMS') * PRICES.keys.usd +
    lambdaCalls * PRICES.lambdaCalls.usd;
  return millions / 1e6;
}

/**
 * What a delivery costs, as Markdown, by the CPU time that was measured for 1 GiB near by and by the
 * requests that were counted.
 */
export function describeCosts(
  measurements: readonly Measurement[],
  runs: readonly CountedRun[],
  ticks: readonly Tick[],
): string {
  const near = measurements
    .filter(({ archives, rttMs, sizeMiB }) => archives === 1 && rttMs === 0 && sizeMiB === 1024)
    .flatMap((one) => {
      const run = runs.find(({ archives, sizeMiB, type }) =>
        isDeepStrictEqual([archives, sizeMiB, type], [1, 1024, one.type]),
      );
      const { requests } = run ?? {};
      const cpuSec = cpuSecPerGiB(one, one.ferry.warm);
      return requests ? [{ type: one.type, cpuSec, requests }] : [];
    });
  const getsOf = (requests: readonly RequestCount[]) => requestsOf(requests, 'S3', 'GetObject');
  const tick = ticks.toSorted((one, other) => one.users - other.users).at(-1);
  const ferry = near.flatMap(({ cpuSec, requests, type }) =>
    LINES.map((line) => {
      const costs = MEMORIES.map((memory) =>
        usdPerTiB(cpuSec, memory, line, getsOf(requests)).toFixed(2),
      );
      return [type, cpuSec.toFixed(1), `${line} MiB/s`, ...costs];
    }),
  );
  const loads = [...new Set(runs.map(sizeText))];
  const types = [...new Set(runs.map(({ type }) => type))].sort();
  const requestCosts = types.map((type) => {
    const costs = loads.map((load) => {
      const run = runs.find((one) => one.type === type && sizeText(one) === load);
      return run ? (1000 * usdPerRun(run.requests, tick)).toFixed(3) : '';
    });
    return [type, ...costs];
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
  const months = near.map(({ cpuSec, requests, type }) => {
    const asked = DAYS * usdPerRun(requests, tick);
    const byMemory = MEMORIES.map(
      (memory) => asked + (DAYS * usdPerTiB(cpuSec, memory, 50, getsOf(requests))) / 1024,
    );
    return [type, ...byMemory.map((usd) => usd.toFixed(4)), asked.toFixed(4)];
  });
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
    'USD for the requests of 1,000 runs, reading the archives and time aside, as they were counted:',
    '',
    markdownTable(['type', ...loads], requestCosts),
    '',
    ...(months.length > 0
      ? [
          'USD for a user and a month, with a GiB each night at 50 MiB/s, by memory of the function (MB), and what of it the requests are:',
          '',
          markdownTable(['type', ...MEMORIES.map(String), 'requests'], months),
          '',
        ]
      : []),
    'Unit prices; look at the source before one is quoted:',
    '',
    markdownTable(
      ['', 'USD', 'per', 'source'],
      Object.values(PRICES).map(({ per, source, usd, what }) => [what, `${usd}`, per, source]),
    ),
    '',
  ].join('\n');
}
