import { execFile } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MiB } from '../../functions/core/parts.ts';
import type { CommandResult } from '../../functions/destinations/ssh/remote-command.ts';
import { hashOnServer } from '../../functions/destinations/ssh/remote-hash.ts';
import { digestOf, sampleBytes } from './sample.ts';

/** The commands, run by a shell that finds only some of the tools. */
const NEVER = new AbortController().signal;
const PATHS = { openssl: '/usr/bin/openssl', sha256sum: '/usr/bin/sha256sum' };
type Tool = keyof typeof PATHS;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ferry-remote-hash-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('the SHA-256 that an SSH server computes', () => {
  it.each<[size: string, bytes: number, has: Tool[], by: Tool]>([
    ['small', 1000, ['openssl', 'sha256sum'], 'sha256sum'],
    ['large', 16 * MiB, ['openssl', 'sha256sum'], 'openssl'],
    ['large', 16 * MiB, ['sha256sum'], 'sha256sum'],
  ])('of a %s file (%i bytes) where there is %j comes from %s', async (_, size, has, by) => {
    const bytes = sampleBytes(size, 'hashed');
    const server = await serverWith(has);
    const path = join(folder, "it's $(a) file");
    await writeFile(path, bytes);
    const { sha256 } = digestOf(bytes);
    expect(await hashOnServer(server, path, size, NEVER)).toEqual({ sha256, tool: by });
  });

  it('is asked for in another way where the server does not allow the first one', async () => {
    const server = await serverWith(['openssl', 'sha256sum']);
    const allowed = (command: string) => command.startsWith('sha256sum ');
    const refusal = { exitCode: 1, output: 'This command is not allowed.\n' };
    const restricted = {
      run: (command: string) => (allowed(command) ? server.run(command) : Promise.resolve(refusal)),
    };
    const path = join(folder, 'restricted');
    await writeFile(path, 'x');
    const found = await hashOnServer(restricted, path, 16 * MiB, NEVER);
    expect(found).toMatchObject({ tool: 'sha256sum' });
  });

  it.each([
    ['runs no commands', undefined],
    ['runs something else instead', { exitCode: 0, output: 'Welcome!\n' }],
    ['ended it with a signal', { exitCode: undefined, output: '' }],
  ])('is asked for once of one that %s', async (_, answer) => {
    let asked = 0;
    const server = {
      async run(): Promise<CommandResult | undefined> {
        asked += 1;
        return answer;
      },
    };
    expect(await hashOnServer(server, '/a', 16 * MiB, NEVER)).toBeUndefined();
    expect(asked).toBe(1);
  });

  it('is not there where the server has none of the tools', async () => {
    expect(await hashOnServer(await serverWith([]), '/a', 16 * MiB, NEVER)).toBeUndefined();
  });
});

async function serverWith(tools: readonly Tool[]) {
  const path = await mkdtemp(join(folder, 'tools-'));
  await Promise.all(tools.map((tool) => symlink(PATHS[tool], join(path, tool))));
  return {
    run: (command: string) =>
      new Promise<CommandResult>((resolve) => {
        const child = execFile('/bin/sh', ['-c', command], { env: { PATH: path } }, (_, output) =>
          resolve({ exitCode: child.exitCode ?? undefined, output }),
        );
      }),
  };
}
