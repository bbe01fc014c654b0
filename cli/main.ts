#!/usr/bin/env node
import { commands } from './commands.ts';
import { runFerry } from './program.ts';

// Whoever reads the output may have seen enough, as `head` has.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit();
  throw error;
});

process.exitCode = await runFerry(commands, process.argv.slice(2));
