import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { createScratchFolder } from '../local/scratch-folder.ts';
import { beginCommand } from '../test/server-command.ts';
import { deliverRepeatedly } from './deliver-repeatedly.ts';
import { compile } from './deployment.ts';
import { startMeasuredFerry } from './ferry.ts';
import { keepResults } from './keep-results.ts';
import { forEachPlace, packages } from './places/all.ts';
import { type Profile, sumUp, v8Profile } from './profile.ts';
import { startSource } from './source-process.ts';
import { TYPES, typeOptions, typesGiven } from './type-options.ts';

const SIZE = 1024 ** 3;
const FOLDER = 'bench/profiled';
const HELP = `npm run bench:profile -- [--type T]… [--out FILE] [--json]

Delivers an archive of 1 GiB by Ferry's transfer function, as it is deployed, to a real server of each
type, and tells where the time of its main thread goes.
  --type T    this type only; may be given again (${TYPES.join(', ')})
  --out FILE  adds what was measured to what a file has, as bench/results has it
  --json      ends with one line for programs
`;

const { answer, given, say } = beginCommand({
  help: HELP,
  options: typeOptions,
  given: z.object(typesGiven),
  packages,
});
await using scratch = await createScratchFolder();
const profiler = await compile('bench/processes/profiler.ts', scratch.path);
await using source = await startSource();
await using ferry = await startMeasuredFerry(scratch.path, source.endpoint);
const profiles: Profile[] = [];
await forEachPlace(given.type, scratch.path, async (place) => {
  const file = join(scratch.path, `${place.type}.cpuprofile`);
  const { server, sizeMiB, type } = await deliverRepeatedly(ferry, {
    place,
    line: { port: place.address.port, proxyPort: 0 },
    rttMs: 0,
    sizeBytes: SIZE,
    folder: FOLDER,
    environment: {
      NODE_OPTIONS: `${ferry.nodeOptions} --import=${profiler}`,
      PROFILE_TO: file,
    },
    runs: 1,
  });
  const sums = sumUp(v8Profile.parse(JSON.parse(await readFile(file, 'utf8'))));
  profiles.push({ type, server, sizeMiB, ...sums });
  say(`${type}: ${Object.entries(sums).map(([doing, ms]) => `${doing} ${ms.toFixed(0)} ms`)}`);
});
if (given.out !== undefined) await keepResults(given.out, { profiles });
answer({ profiles });
