import { z } from 'zod';
import { createScratchFolder } from '../local/scratch-folder.ts';
import { beginCommand } from '../test/server-command.ts';
import type { Budget } from './budget.ts';
import { deliverRepeatedly } from './deliver-repeatedly.ts';
import { startMeasuredFerry } from './ferry.ts';
import { keepResults } from './keep-results.ts';
import { openLine } from './measure.ts';
import { forEachPlace, packages } from './places/all.ts';
import { startSource } from './source-process.ts';
import { TYPES, typeOptions, typesGiven } from './type-options.ts';

const MIB = 1024 ** 2;
const SIZE = 256 * MIB;
/** From one part at a time to more than any destination takes. */
const BUDGETS = [16, 32, 64, 128, 512];
const RTTS = [0, 80];
const FOLDER = 'bench/budget';
const HELP = `npm run bench:memory -- [--type T]… [--runs N] [--out FILE] [--json]

Delivers an archive of 256 MiB by Ferry's transfer function, as it is deployed, to a real server of each
type, near by and far away, with ${BUDGETS.join(', ')} MiB of memory for parts under way.
  --type T    this type only; may be given again (${TYPES.join(', ')})
  --runs N    of each (3)
  --out FILE  adds what was measured to what a file has, as bench/results has it
  --json      ends with one line for programs
`;

const { answer, given, say } = beginCommand({
  help: HELP,
  options: {
    ...typeOptions,
    runs: { type: 'string' },
  },
  given: z.object({
    ...typesGiven,
    runs: z.coerce.number().int().min(1).default(3),
  }),
  packages,
});
await using scratch = await createScratchFolder();
await using source = await startSource();
await using ferry = await startMeasuredFerry(scratch.path, source.endpoint);
const budgets: Budget[] = [];
await forEachPlace(given.type, scratch.path, async (place) => {
  for (const rttMs of RTTS) {
    await using wire = await openLine(place, rttMs);
    for (const inFlightMiB of BUDGETS) {
      const environment = { IN_FLIGHT_MIB: `${inFlightMiB}` };
      const of = { place, line: wire.line, rttMs, sizeBytes: SIZE, folder: FOLDER, environment };
      const delivered = await deliverRepeatedly(ferry, { ...of, runs: given.runs });
      budgets.push({ ...delivered, inFlightMiB });
      const times = delivered.ms.map((ms) => ms.toFixed(0));
      say(`${place.type}, ${rttMs} ms, ${inFlightMiB} MiB: ${times} ms`);
    }
  }
});
if (given.out !== undefined) await keepResults(given.out, { budgets });
answer({ budgets });
