import { z } from 'zod';
import { createScratchFolder } from '../local/scratch-folder.ts';
import { beginCommand } from '../test/server-command.ts';
import { keepResults } from './keep-results.ts';
import { measureTicks } from './measure-ticks.ts';

const HELP = `npm run bench:tick -- [--users N]… [--out FILE] [--json]

Lets one tick find so many users who are due, by the function as it is deployed and with the embedded
DynamoDB and SQS of npm start, and tells how many it handles a second and what it asks of both.
  --users N   who are due at once, with one destination each; may be given again (1000, 10000)
  --out FILE  adds what was measured to what a file has, as bench/results has it
  --json      ends with one line for programs
`;

const { answer, given, say } = beginCommand({
  help: HELP,
  options: { users: { type: 'string', multiple: true }, out: { type: 'string' } },
  given: z.object({
    users: z.array(z.coerce.number().int().min(1)).default([1000, 10_000]),
    out: z.string().optional(),
  }),
  // Whose version the file tells.
  packages: ['rclone'],
});
await using scratch = await createScratchFolder();
const ticks = await measureTicks(given.users, scratch.path, say);
if (given.out !== undefined) await keepResults(given.out, { ticks });
answer({ ticks });
