import { z } from 'zod';
import { createScratchFolder } from '../local/scratch-folder.ts';
import { beginCommand } from '../test/server-command.ts';
import { takeArrived } from './arrived.ts';
import type { Budget } from './budget.ts';
import { startMeasuredFerry } from './ferry.ts';
import { keepResults } from './keep-results.ts';
import { openLine } from './measure.ts';
import { forEachPlace, packages } from './places/all.ts';
import { COMPONENT, filesOf, userOf } from './s3-source.ts';
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
  const { server, type } = place;
  const reset = () => takeArrived(place, `${FOLDER}/${COMPONENT}`, filesOf(1), SIZE);
  for (const rttMs of RTTS) {
    await using wire = await openLine(place, rttMs);
    const settings = place.settings(wire.line, FOLDER);
    for (const inFlightMiB of BUDGETS) {
      const environment = { ...place.environment, IN_FLIGHT_MIB: `${inFlightMiB}` };
      const delivery = { userId: userOf(SIZE, 1), archives: 1, type, settings, environment };
      const of = { type, server, sizeMiB: SIZE / MIB, rttMs, inFlightMiB };
      const measured: Budget = { ...of, ms: [], peakRssMiB: [] };
      for (let run = 0; run < given.runs; run++) {
        const { warm } = await ferry.deliver({ ...delivery, reset });
        measured.ms.push(warm.ms);
        measured.peakRssMiB.push(warm.peakRssMiB);
        await reset();
      }
      budgets.push(measured);
      say(`${type}, ${rttMs} ms, ${inFlightMiB} MiB: ${measured.ms.map((ms) => ms.toFixed(0))} ms`);
    }
  }
});
if (given.out !== undefined) await keepResults(given.out, { budgets });
answer({ budgets });
