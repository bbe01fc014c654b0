import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { createScratchFolder } from '../../local/scratch-folder.ts';
import { ensureDebianPackages } from '../debian-packages.ts';
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

const given = z.object({
  type: z.array(z.enum(TYPES)).optional(),
  rounds: z.coerce.number().int().min(0).optional(),
  seed: z.coerce.number().int().min(0).max(0xffffffff).optional(),
  json: z.boolean().default(false),
  help: z.boolean().default(false),
});

function readChoices(): z.output<typeof given> {
  try {
    const { values } = parseArgs({
      options: {
        type: { type: 'string', multiple: true },
        rounds: { type: 'string' },
        seed: { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    });
    return given.parse(values);
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    process.stderr.write(`${why}\n\n${HELP}`);
    process.exit(2);
  }
}

const choices = readChoices();
if (choices.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
// Ends the servers too: each of them goes with this process.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));
ensureDebianPackages(packages);
const { json, rounds, type: types = TYPES, seed = randomInt(2 ** 32) } = choices;
const out = json ? process.stderr : process.stdout;
const say = (line: string) => void out.write(`${line}\n`);
say(`Seed ${seed}`);
await using scratch = await createScratchFolder();
const results = await runCrash({ types, rounds, seed, scratch: scratch.path, say });
for (const result of results) say(`\n${describeSteps(result)}`);
say(`\n${formatTable(results)}`);
const rows = results.map(toRow);
if (json) process.stdout.write(`${JSON.stringify({ rows })}\n`);
process.exitCode = rows.some(({ failures }) => failures > 0) ? 1 : 0;
