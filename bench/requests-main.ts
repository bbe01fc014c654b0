import { z } from 'zod';
import { createScratchFolder } from '../local/scratch-folder.ts';
import { beginCommand } from '../test/server-command.ts';
import { countRuns } from './count-runs.ts';
import { keepResults } from './keep-results.ts';
import { packages } from './places/all.ts';
import { TYPES, typeOptions, typesGiven } from './type-options.ts';

const MIB = 1024 ** 2;
const HELP = `npm run bench:requests -- [--type T]… [--out FILE] [--json]

Delivers an archive of 64 MiB, one of 1 GiB and 1,000 of 1 MiB in one job by Ferry's transfer function,
as it is deployed, to a real server of each type, and counts what it asks of DynamoDB, S3, SQS and KMS.
  --type T    this type only; may be given again (${TYPES.join(', ')})
  --out FILE  adds the counts to those of a file, as bench/results has them
  --json      ends with one line for programs
`;

const { answer, given, say } = beginCommand({
  help: HELP,
  options: typeOptions,
  given: z.object(typesGiven),
  packages,
});
const LOADS = [
  { sizeBytes: 64 * MIB, archives: 1 },
  { sizeBytes: 1024 * MIB, archives: 1 },
  { sizeBytes: MIB, archives: 1000 },
];
await using scratch = await createScratchFolder();
const requests = await countRuns(given.type, LOADS, scratch.path, say);
if (given.out !== undefined) await keepResults(given.out, { requests });
answer({ requests });
