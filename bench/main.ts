import { statfs } from 'node:fs/promises';
import { freemem, tmpdir } from 'node:os';
import { z } from 'zod';
import { createScratchFolder } from '../local/scratch-folder.ts';
import { beginCommand } from '../test/server-command.ts';
import { runBenchmark } from './benchmark.ts';
import { keepResults } from './keep-results.ts';
import { packages } from './places/all.ts';
import { formatTable } from './report.ts';
import { toRow } from './row.ts';
import { TYPES, typeOptions, typesGiven } from './type-options.ts';

const SIZES = ['1MiB', '64MiB', '1GiB', '8GiB'];
const MIB = 1024 ** 2;
const HELP = `npm run bench -- [--type T]… [--size 256MiB]… [--rtt ms]… [--archives N] [--runs N] [--out FILE] [--json]

Delivers one archive from S3 by Ferry's transfer function, as it is deployed, and by rclone, in turn, to
a real server of each type. As root it installs missing servers; it needs Debian.
  --type T    this type only; may be given again (${TYPES.join(', ')})
  --size S    of the archive, as 512KiB, 256MiB or 1GiB; may be given again (${SIZES.join(', ')})
  --rtt MS    adds a round trip of so many ms to the destination; may be given again (0)
  --archives N  so many of that size in one run, 1,000 at the most (1)
  --runs N    of each tool for each line (7 up to 64 MiB, 5 up to 1 GiB, 3 above)
  --out FILE  adds every single run to those of a file, as bench/results has them
  --json      ends with one line for programs
`;

const UNITS = { KiB: 1024, MiB: MIB, GiB: 1024 * MIB } as const;
const size = z
  .templateLiteral([z.number().positive(), z.enum(['KiB', 'MiB', 'GiB'])])
  .transform((text) => {
    const [, digits = '', unit = ''] = /^([\d.]+)(\w+)$/.exec(text) ?? [];
    return Math.round(Number(digits) * UNITS[z.enum(['KiB', 'MiB', 'GiB']).parse(unit)]);
  });
/** Servers keep what they store in memory where there is plenty, so that a disk decides nothing. */
async function chooseStorage(largest: number): Promise<'memory' | 'disk'> {
  const shm = '/dev/shm';
  const free = await statfs(shm).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => 0,
  );
  const needed = 4 * largest + 2048 * MIB;
  if (Math.min(free, freemem()) < needed) return 'disk';
  process.env.TMPDIR = shm;
  return tmpdir() === shm ? 'memory' : 'disk';
}

const {
  given: choices,
  say,
  answer,
} = beginCommand({
  help: HELP,
  options: {
    ...typeOptions,
    size: { type: 'string', multiple: true },
    rtt: { type: 'string', multiple: true },
    archives: { type: 'string' },
    runs: { type: 'string' },
  },
  given: z.object({
    ...typesGiven,
    size: z.array(size).default(SIZES.map((text) => size.parse(text))),
    rtt: z.array(z.coerce.number().min(0).max(10_000)).default([0]),
    archives: z.coerce.number().int().min(1).max(1000).default(1),
    runs: z.coerce.number().int().min(1).optional(),
  }),
  packages,
});
const storage = await chooseStorage(choices.archives * Math.max(...choices.size));
await using scratch = await createScratchFolder();
const measurements = await runBenchmark({
  types: choices.type,
  sizes: choices.size,
  rtts: choices.rtt,
  archives: choices.archives,
  storage,
  runs: choices.runs,
  scratch: scratch.path,
  say,
});
say(`\n${formatTable(measurements)}`);
if (choices.out !== undefined) await keepResults(choices.out, { measurements });
answer({ rows: measurements.map(toRow) });
