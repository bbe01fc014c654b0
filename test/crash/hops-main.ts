import { z } from 'zod';
import { createScratchFolder } from '../../local/scratch-folder.ts';
import { beginCommand } from '../server-command.ts';
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

const { given, say, answer } = beginCommand({
  help: HELP,
  options: { type: { type: 'string', multiple: true } },
  given: z.object({ type: z.array(z.enum(NAMES)).default(NAMES) }),
  packages,
});
await using scratch = await createScratchFolder();
const rows = await runHops({ names: given.type, scratch: scratch.path, say });
say(`\n${formatHops(rows)}`);
answer({ rows });
process.exitCode = rows.some(({ failures }) => failures.length > 0) ? 1 : 0;
