import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { z } from 'zod';
import { createScratchFolder } from '../local/scratch-folder.ts';
import { beginCommand } from '../test/server-command.ts';
import { takeArrived } from './arrived.ts';
import { startMeasuredFerry } from './ferry.ts';
import { keepResults } from './keep-results.ts';
import { forEachPlace, PLACES, packages } from './places/all.ts';
import { type Profile, sumUp, v8Profile } from './profile.ts';
import { COMPONENT, filesOf, userOf } from './s3-source.ts';
import { startSource } from './source-process.ts';

const MIB = 1024 ** 2;
const SIZE = 1024 * MIB;
const FOLDER = 'bench/profiled';
const TYPES = Object.keys(PLACES);
const HELP = `npm run bench:profile -- [--type T]… [--out FILE] [--json]

Delivers an archive of 1 GiB by Ferry's transfer function, as it is deployed, to a real server of each
type, and tells where the time of its main thread goes.
  --type T    this type only; may be given again (${TYPES.join(', ')})
  --out FILE  adds what was measured to what a file has, as bench/results has it
  --json      ends with one line for programs
`;

const { answer, given, say } = beginCommand({
  help: HELP,
  options: { type: { type: 'string', multiple: true }, out: { type: 'string' } },
  given: z.object({ type: z.array(z.enum(TYPES)).default(TYPES), out: z.string().optional() }),
  packages,
});
await using scratch = await createScratchFolder();
const profiler = join(scratch.path, 'profiler.mjs');
await build({
  entryPoints: [join(import.meta.dirname, 'processes/profiler.ts')],
  ...{ outfile: profiler, bundle: true, platform: 'node', format: 'esm', logLevel: 'error' },
});
await using source = await startSource();
await using ferry = await startMeasuredFerry(scratch.path, source.endpoint);
const profiles: Profile[] = [];
await forEachPlace(given.type, scratch.path, async (place) => {
  const { server, type } = place;
  const file = join(scratch.path, `${type}.cpuprofile`);
  const settings = place.settings({ port: place.address.port, proxyPort: 0 }, FOLDER);
  const environment = {
    ...place.environment,
    NODE_OPTIONS: `${ferry.nodeOptions} --import=${pathToFileURL(profiler)}`,
    PROFILE_TO: file,
  };
  const reset = () => takeArrived(place, `${FOLDER}/${COMPONENT}`, filesOf(1), SIZE);
  const userId = userOf(SIZE, 1);
  await ferry.deliver({ userId, archives: 1, type, settings, environment, reset });
  await reset();
  const sums = sumUp(v8Profile.parse(JSON.parse(await readFile(file, 'utf8'))));
  profiles.push({ type, server, sizeMiB: SIZE / MIB, ...sums });
  say(`${type}: ${Object.entries(sums).map(([doing, ms]) => `${doing} ${ms.toFixed(0)} ms`)}`);
});
if (given.out !== undefined) await keepResults(given.out, { profiles });
answer({ profiles });
