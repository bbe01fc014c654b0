import { parseArgs } from 'node:util';
import { z } from 'zod';
import { createScratchFolder } from '../../local/scratch-folder.ts';
import { ensureDebianPackages } from '../debian-packages.ts';
import { formatHops, LEAST_HOPS, MOST_RATIO, runHops } from './hops.ts';
import { packages } from './packages.ts';
import { HOP_PLACES } from './places/all.ts';

const NAMES = Object.keys(HOP_PLACES);
const HELP = `npm run hops -- [--type T]… [--json]

Delivers one archive to a server of each type in invocations of a few seconds, on a slow line: it takes
${LEAST_HOPS} or more, and what is sent to the destination stays below ${MOST_RATIO} times the archive.
  --type T  this one only; may be given again (${NAMES.join(', ')})
  --json    ends with one line for programs
`;

const given = z.object({
  type: z.array(z.enum(NAMES)).optional(),
  json: z.boolean().default(false),
  help: z.boolean().default(false),
});

function readChoices(): z.output<typeof given> {
  try {
    const { values } = parseArgs({
      options: {
        type: { type: 'string', multiple: true },
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

const { help, json, type: names = NAMES } = readChoices();
if (help) {
  process.stdout.write(HELP);
  process.exit(0);
}
// Ends the servers too: each of them goes with this process.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));
ensureDebianPackages(packages);
const out = json ? process.stderr : process.stdout;
const say = (line: string) => void out.write(`${line}\n`);
await using scratch = await createScratchFolder();
const rows = await runHops({ names, scratch: scratch.path, say });
say(`\n${formatHops(rows)}`);
if (json) process.stdout.write(`${JSON.stringify({ rows })}\n`);
process.exitCode = rows.some(({ failures }) => failures.length > 0) ? 1 : 0;
