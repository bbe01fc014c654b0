import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { z } from 'zod';

const run = promisify(execFile);
const PLACES = new URL('../../functions/platform/source-places.ts', import.meta.url).pathname;
const SOURCE = `import { sourcePlaces } from '${PLACES}';

function fail(text: string): never {
  throw new TypeError(text);
}

async function begin(): Promise<void> {
  await null;
  fail('lost\\n    at nothing (file:///secret:1:2)');
}

try {
  await begin();
} catch (error) {
  if (error instanceof Error) console.log(JSON.stringify(sourcePlaces(error)));
}
`;
let folder: string;
let bundle: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ferry-places-'));
  bundle = join(folder, 'bundle', 'index.mjs');
});
afterEach(() => rm(folder, { recursive: true }));

/** Goes the way of a deployed function, without its map where there is to be none. */
async function bundleIt(sourcemap: boolean): Promise<void> {
  const source = join(folder, 'source.ts');
  await writeFile(source, SOURCE);
  await build({
    ...{ entryPoints: [source], outfile: bundle, bundle: true, platform: 'node' },
    ...{ format: 'esm', minify: true, sourcemap },
  });
}

/** What the bundle says of its own error, in a Node that was not told of source maps. */
async function placesTold(): Promise<string[]> {
  const { stdout } = await run(process.execPath, [bundle], { env: {} });
  return z.array(z.string()).parse(JSON.parse(stdout));
}

it('the places of an error are those of the source, innermost first', async () => {
  await bundleIt(true);
  const [thrown, called, awaited] = await placesTold();
  expect(thrown).toMatch(/ \(source\.ts:4:9\)$/);
  expect(called).toMatch(/ \(source\.ts:9:3\)$/);
  expect(awaited).toBe('source.ts:13:3');
});

it('without a source map they are those of the bundle', async () => {
  await bundleIt(false);
  expect((await placesTold())[0]).toMatch(/ \(file:.*\/bundle\/index\.mjs:\d+:\d+\)$/);
});

it('a source map that cannot be read hides no error', async () => {
  await bundleIt(true);
  await writeFile(`${bundle}.map`, '{"version":');
  expect((await placesTold())[0]).toMatch(/index\.mjs:\d+:\d+\)$/);
});

it('nothing of the message is told', async () => {
  await bundleIt(true);
  expect((await placesTold()).join()).not.toContain('secret');
});
