import { z } from 'zod';
import { createScratchFolder } from '../local/scratch-folder.ts';
import { beginCommand } from '../test/server-command.ts';
import { keepResults } from './keep-results.ts';
import { measureStarts } from './measure-starts.ts';

const HELP = `npm run bench:start -- [--runs N] [--out FILE] [--json]

Loads the bundle of every function, as it is deployed, in processes of their own with the options of Node
that it has there, and tells how long that takes and how much memory it needs.
  --runs N    processes of each (10)
  --out FILE  adds what was measured to what a file has, as bench/results has it
  --json      ends with one line for programs
`;

const { answer, given, say } = beginCommand({
  help: HELP,
  options: { runs: { type: 'string' }, out: { type: 'string' } },
  given: z.object({
    runs: z.coerce.number().int().min(1).default(10),
    out: z.string().optional(),
  }),
  // Whose version the file tells.
  packages: ['rclone'],
});
await using scratch = await createScratchFolder();
const starts = await measureStarts(given.runs, scratch.path, say);
if (given.out !== undefined) await keepResults(given.out, { starts });
answer({ starts });
