import { z } from 'zod';
import { createScratchFolder } from '../local/scratch-folder.ts';
import { beginCommand } from '../test/server-command.ts';
import { deliverRepeatedly } from './deliver-repeatedly.ts';
import { compile } from './deployment.ts';
import { startMeasuredFerry } from './ferry.ts';
import { type FunctionMemory, ONE_VCPU, vcpusOf } from './function-memory.ts';
import { keepResults } from './keep-results.ts';
import { openLine } from './measure.ts';
import { forEachPlace, packages } from './places/all.ts';
import { shareProcessor } from './processor-share.ts';
import { startSource } from './source-process.ts';
import { TYPES, typeOptions, typesGiven } from './type-options.ts';

const MIB = 1024 ** 2;
const SIZE = 256 * MIB;
const RTT_MS = 30;
/** MB. Above one vCPU nothing changes but the price. */
const MEMORIES = [512, 768, 1024, 1280, ONE_VCPU];
const FOLDER = 'bench/function-memory';
const HELP = `npm run bench:function -- [--type T]… [--runs N] [--out FILE] [--json]

Delivers an archive of 256 MiB by Ferry's transfer function, as it is deployed, to a real server of each
type ${RTT_MS} ms away, with as much of one of this machine's processors as Lambda gives to a function of
${MEMORIES.join(', ')} MB. It has to be root, and Linux.
  --type T    this type only; may be given again (${TYPES.join(', ')})
  --runs N    of each (1)
  --out FILE  adds what was measured to what a file has, as bench/results has it
  --json      ends with one line for programs
`;

const { answer, given, say } = beginCommand({
  help: HELP,
  options: { ...typeOptions, runs: { type: 'string' } },
  given: z.object({ ...typesGiven, runs: z.coerce.number().int().min(1).default(1) }),
  packages,
});
await using scratch = await createScratchFolder();
const joinGroup = await compile('bench/processes/join-group.ts', scratch.path);
await using source = await startSource();
await using ferry = await startMeasuredFerry(scratch.path, source.endpoint);
const functionMemory: FunctionMemory[] = [];
await forEachPlace(given.type, scratch.path, async (place) => {
  await using wire = await openLine(place, RTT_MS);
  for (const memoryMb of MEMORIES) {
    await using share = await shareProcessor(vcpusOf(memoryMb));
    const environment = {
      NODE_OPTIONS: `${ferry.nodeOptions} --import=${joinGroup}`,
      JOIN: share.members,
    };
    const of = { place, line: wire.line, rttMs: RTT_MS, sizeBytes: SIZE, folder: FOLDER };
    const delivered = await deliverRepeatedly(ferry, { ...of, environment, runs: given.runs });
    functionMemory.push({ ...delivered, memoryMb });
    say(`${place.type}, ${memoryMb} MB: ${delivered.ms.map((ms) => ms.toFixed(0))} ms`);
  }
});
if (given.out !== undefined) await keepResults(given.out, { functionMemory });
answer({ functionMemory });
