import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';
import type { FunctionDefinition } from '../local/lambda-process.ts';
import { startDeployment } from './deployment.ts';
import type { FunctionStart } from './function-start.ts';
import { spreadOf } from './spread.ts';

const run = promisify(execFile);
const FUNCTIONS = ['transfer', 'settings-changed', 'enqueue-due', 'sweep', 'check'];
const MIB = 1024 ** 2;
const EMPTY = 'data:text/javascript,';
/** What the process does: loads one module, and tells what that took. */
const SCRIPT = `
  const cpu = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1000; };
  const [startedAt, before] = [performance.now(), cpu()];
  await import(process.argv[1]);
  const [ms, cpuMs] = [performance.now() - startedAt, cpu() - before];
  const { rss } = process.memoryUsage();
  process.stdout.write(JSON.stringify({ ms, cpuMs, rss }), () => process.exit(0));
`;
const told = z.object({ ms: z.number(), cpuMs: z.number(), rss: z.number() });

/** Loads the bundle of every function in so many processes, in turn. */
export async function measureStarts(
  processes: number,
  scratch: string,
  say: (line: string) => void,
): Promise<FunctionStart[]> {
  await using deployment = await startDeployment(scratch);
  const starts: FunctionStart[] = [];
  for (const name of FUNCTIONS) {
    const definition = deployment.functionOf(name);
    const { size } = await stat(definition.bundle);
    const loads: z.output<typeof told>[] = [];
    const empty: z.output<typeof told>[] = [];
    for (let n = 0; n < processes; n++) {
      empty.push(await load(definition, EMPTY));
      loads.push(await load(definition, pathToFileURL(definition.bundle).href));
    }
    const start = {
      name,
      bundleBytes: size,
      importMs: loads.map(({ ms }) => ms),
      importCpuMs: loads.map(({ cpuMs }) => cpuMs),
      rssMiB: loads.map(({ rss }) => rss / MIB),
      emptyRssMiB: empty.map(({ rss }) => rss / MIB),
    };
    starts.push(start);
    const [ms, rss] = [start.importMs, start.rssMiB].map((all) => spreadOf(all).median.toFixed(0));
    say(`${name}: ${ms} ms, ${rss} MiB`);
  }
  return starts;
}

async function load({ environment, handler, region }: FunctionDefinition, module: string) {
  const env = { ...environment, AWS_REGION: region, _HANDLER: handler };
  const args = ['--input-type=module', '--eval', SCRIPT, '--', module];
  const { stdout } = await run(process.execPath, args, { env });
  return told.parse(JSON.parse(stdout.split('\n').at(-1) ?? ''));
}
