import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Failure } from './failure.ts';

/** Asks whoever sits at the terminal, or reads the next line that another program sends. */
export async function ask(prompt: string): Promise<string> {
  const lines = createInterface({ input: process.stdin });
  process.stderr.write(prompt);
  try {
    const ended = once(lines, 'close').then(() => {
      throw new Failure('No answer came.');
    });
    const [line] = await Promise.race([once(lines, 'line'), ended]);
    return String(line).trim();
  } finally {
    lines.close();
  }
}
