import { randomInt } from 'node:crypto';
import { z } from 'zod';
import { createScratchFolder } from '../../local/scratch-folder.ts';
import { beginCommand } from '../server-command.ts';
import { runCrash } from './crash.ts';
import { packages } from './packages.ts';
import { CRASH_PLACES } from './places/all.ts';
import { describeSteps, formatTable, toRow } from './report.ts';

const TYPES = Object.keys(CRASH_PLACES);
const HELP = `npm run crash -- [--type T]… [--rounds N] [--seed S] [--json]

Delivers archives to a real server of each type while workers are killed before and after every step,
servers are restarted, connections cut, and requests and answers lost or late.
  --type T    this type only; may be given again (${TYPES.join(', ')})
  --rounds N  so many rounds for each type after the first, chosen by the seed; every one without it
  --seed S    repeats the choices of an earlier run; timing stays real
  --json      ends with one line for programs
`;

const { given, say, answer } = beginCommand({
  help: HELP,
  options: {
    type: { type: 'string', multiple: true },
    rounds: { type: 'string' },
    seed: { type: 'string' },
  },
  given: z.object({
    type: z.array(z.enum(TYPES)).default(TYPES),
    rounds: z.coerce.number().int().min(0).optional(),
    seed: z.coerce
      .number()
      .int()
      .min(0)
      .max(0xffffffff)
      .default(randomInt(2 ** 32)),
  }),
  packages,
});
const { rounds, seed, type: types } = given;
say(`Seed ${seed}`);
await using scratch = await createScratchFolder();
const results = await runCrash({ types, rounds, seed, scratch: scratch.path, say });
for (const result of results) say(`\n${describeSteps(result)}`);
say(`\n${formatTable(results)}`);
const rows = results.map(toRow);
answer({ rows });
process.exitCode = rows.some(({ failures }) => failures > 0) ? 1 : 0;
