import { describe, expect, it } from 'vitest';
import { NO_LIMITS } from '../../functions/core/policy.ts';
import type { Problem } from '../../functions/core/problem.ts';
import { parseDestination } from '../../functions/destinations/registry.ts';
import { generateSshKey } from '../../local/ssh-key.ts';
import { failure } from '../contract/failure.ts';
import { NO_SURROUNDINGS } from '../contract/surroundings.ts';

const SERVER = { SSH_HOST_NAME: 'nas.example.com', SSH_USER: 'ann' };

function problemsOf(settings: Readonly<Record<string, unknown>>): readonly Problem[] {
  const parsed = parseDestination('ssh', settings, NO_LIMITS);
  return parsed.ok ? [] : parsed.problems;
}

async function open(
  settings: Readonly<Record<string, unknown>>,
  files: Readonly<Record<string, string>>,
) {
  const parsed = parseDestination('ssh', settings, NO_LIMITS);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const readFile = async (path: string) => files[path];
  const destination = await parsed.value.open({ ...NO_SURROUNDINGS, readFile });
  await destination.close();
}

describe('a setting that stands in a file', () => {
  const key = generateSshKey().private;

  it.each(['.ferry/id_ed25519', '/.ferry/id_ed25519', './.ferry//id_ed25519'])(
    'SSH_IDENTITY_FILE %s: the key is read from below the folder of the user',
    async (path) => {
      await open({ ...SERVER, SSH_IDENTITY_FILE: path }, { '.ferry/id_ed25519': key });
      await open({ ...SERVER, SSH_IDENTITY_FILE_FILE: path }, { '.ferry/id_ed25519': key });
    },
  );

  it('any setting: NAME_FILE gives the path of the value, whose last line end does not count', async () => {
    const settings = { ...SERVER, SSH_HOST_NAME: '', SSH_HOST_NAME_FILE: 'host' };
    await open({ ...settings, SSH_PASSWORD_FILE: 'pw' }, { host: 'nas.example.com\n', pw: 'x\n' });
    await open({ ...SERVER, SSH_PASSWORD: 'x', SSH_PORT_FILE: 'port' }, { port: '2222\n' });
  });

  it.each([
    ['is not there', {}, /SSH_PORT_FILE.*"port"/],
    ['holds what the setting cannot be', { port: 'twenty-two' }, /^SSH_PORT: /],
  ])('fails for good where the file %s', async (_what, files, words) => {
    const settings = { ...SERVER, SSH_PASSWORD: 'x', SSH_PORT_FILE: 'port' };
    const error = await failure(open(settings, files));
    expect(error).toMatchObject({ code: 'setting-invalid', retry: 'never' });
    expect(error.message).toMatch(words);
  });

  it('tells what settings say about each other when all of them are read', async () => {
    const encrypted = generateSshKey({ cipher: 'aes256-ctr', passphrase: 'secret', rounds: 4 });
    const settings = { ...SERVER, SSH_IDENTITY_FILE: '.ferry/key' };
    const error = await failure(open(settings, { '.ferry/key': encrypted.private }));
    expect(error.message).toContain('SSH_IDENTITY_PASSPHRASE');
  });

  it.each([
    ['a value and a file', { SSH_PORT: 22, SSH_PORT_FILE: 'port' }, 'SSH_PORT'],
    ['two files', { SSH_IDENTITY_FILE: 'a/b', SSH_IDENTITY_FILE_FILE: 'c' }, 'SSH_IDENTITY_FILE'],
    ["another user's file", { SSH_PORT_FILE: '../bob/port' }, 'SSH_PORT_FILE'],
    ["another user's key", { SSH_IDENTITY_FILE: '../bob/key' }, 'SSH_IDENTITY_FILE'],
    ['a file of no known setting', { SSH_PROT_FILE: 'port' }, 'SSH_PROT_FILE'],
  ])('refuses %s', (_what, settings, path) => {
    const problems = problemsOf({ ...SERVER, SSH_PASSWORD: 'x', ...settings });
    expect(problems.map((problem) => problem.path)).toEqual([path]);
  });

  it('does not hide what is wrong with the other settings', () => {
    const problems = problemsOf({ SSH_USER: 'ann', SSH_PORT: 'x', SSH_PASSWORD_FILE: 'pw' });
    expect(problems.map((problem) => problem.path).sort()).toEqual(['SSH_HOST_NAME', 'SSH_PORT']);
  });
});
