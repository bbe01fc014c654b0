import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Failure } from './failure.ts';

/**
 * Lets a person change a text in their editor; it is in a file that nobody else may read, and only
 * for as long as that takes.
 */
export async function editText(text: string, name: string): Promise<string> {
  const editor = process.env.VISUAL || process.env.EDITOR || 'vi';
  const { file, folder } = await writePrivate(text, name);
  try {
    // The variable may hold arguments, too: a shell takes it apart as everybody expects.
    const running = spawn('/bin/sh', ['-c', `${editor} "$1"`, 'sh', file], { stdio: 'inherit' });
    const [code] = await once(running, 'close');
    if (code !== 0)
      throw new Failure(`The editor (${editor}) ended with ${code}. Nothing was written.`);
    return await readFile(file, 'utf8');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * What a person typed and what could not be written, left in a file that nobody else may read.
 * @param why the failure that a person is told
 */
export async function keepText(text: string, name: string, why: Failure): Promise<Failure> {
  const { file, folder } = await writePrivate(text, name);
  const { message, problems, status } = why;
  const where = `What you typed is kept in ${file}, which only you can read. It may hold secrets: remove it when you are done (rm -r ${folder}).`;
  return new Failure(`${message}\n${where}`, { problems, status });
}

/** A file in a folder of its own, both for this person alone. */
async function writePrivate(text: string, name: string) {
  const folder = await mkdtemp(join(tmpdir(), 'ferry-edit-'));
  const file = join(folder, name);
  await writeFile(file, text, { mode: 0o600 });
  return { file, folder };
}
