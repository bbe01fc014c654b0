#!/usr/bin/env node
import { readCommand, USAGE } from './command-line.ts';
import { connectDropbox } from './dropbox-connect.ts';
import { describeFailure } from './failure.ts';

const FAILED = 1;
const MISUSED = 2;

/** The exit status. */
async function main(args: readonly string[]): Promise<number> {
  const command = readCommand(args);
  switch (command.name) {
    case 'help':
      process.stdout.write(command.text);
      return 0;
    case 'misuse':
      process.stderr.write(`${command.problem}\n\n${USAGE}`);
      return MISUSED;
    case 'dropbox connect': {
      const { json } = command.choices;
      const out = json ? process.stderr : process.stdout;
      const say = (text: string) => void out.write(`${text}\n`);
      try {
        const result = await connectDropbox(command.choices, say);
        if (json) process.stdout.write(`${JSON.stringify(result)}\n`);
        return 0;
      } catch (thrown) {
        const error = describeFailure(thrown);
        if (json) process.stdout.write(`${JSON.stringify({ error })}\n`);
        process.stderr.write(`${error}\n`);
        return FAILED;
      }
    }
  }
}

process.exitCode = await main(process.argv.slice(2));
