import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';

/** The worked example of docs/new-destination-type.md, taken from the page and put to the test. */
const root = fileURLToPath(new URL('../..', import.meta.url));
const page = readFileSync(join(root, 'docs/new-destination-type.md'), 'utf8');
const sources = new Map(
  [...page.matchAll(/```ts\n\/\/ (\S+)\n(.*?)```/gs)].map(([, path = '', code = '']) => [
    path,
    code,
  ]),
);
const scratch = mkdtempSync(join(tmpdir(), 'ferry-example-'));

/** Files of the example import each other where they are; everything else comes from this checkout. */
function withPaths(path: string, code: string): string {
  return code.replaceAll(/(from |import\()'(\.[^']+)'/g, (_, before: string, to: string) => {
    const target = posix.join(posix.dirname(path), to);
    return `${before}'${join(sources.has(target) ? scratch : root, target)}'`;
  });
}

writeFileSync(join(scratch, 'package.json'), JSON.stringify({ type: 'module' }));
symlinkSync(join(root, 'node_modules'), join(scratch, 'node_modules'));
for (const [path, code] of sources) {
  mkdirSync(dirname(join(scratch, path)), { recursive: true });
  writeFileSync(join(scratch, path), withPaths(path, code));
}
afterAll(() => rmSync(scratch, { recursive: true }));

it('the worked example is complete and of the right types', () => {
  expect([...sources.keys()]).toContain('functions/destinations/folder/type.ts');
  const config = {
    extends: join(root, 'tsconfig.json'),
    include: ['functions', 'test'],
    exclude: [],
  };
  writeFileSync(join(scratch, 'tsconfig.json'), JSON.stringify(config));
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const { stdout } = spawnSync(process.execPath, [compiler, '-p', scratch], { encoding: 'utf8' });
  expect(stdout).toBe('');
});

for (const path of sources.keys()) {
  if (path.endsWith('.test.ts')) await import(join(scratch, path));
}
