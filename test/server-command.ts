import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { z } from 'zod';
import { ensureDebianPackages } from './debian-packages.ts';

const shared = z.object({ json: z.boolean().default(false), help: z.boolean().default(false) });

interface ServerCommand<Given> {
  readonly help: string;
  /** Beside `--json` and `--help`. */
  readonly options: ParseArgsOptionsConfig;
  readonly given: z.ZodType<Given>;
  /** Debian packages of the servers. */
  readonly packages: readonly string[];
}

/**
 * Begins a command that starts servers in processes of its own: reads what was given, and sees that the
 * servers are installed. Ends the process where the arguments are wrong (2), after the help (0), and on
 * a signal (130), with which the servers go, too.
 */
export function beginCommand<Given>(command: ServerCommand<Given>) {
  const { given, help, json } = read(command);
  if (help) {
    process.stdout.write(command.help);
    process.exit(0);
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));
  ensureDebianPackages(command.packages);
  const out = json ? process.stderr : process.stdout;
  return {
    given,
    say: (line: string) => void out.write(`${line}\n`),
    /** One line for programs, where they want it. */
    answer(document: unknown) {
      if (json) process.stdout.write(`${JSON.stringify(document)}\n`);
    },
  };
}

function read<Given>({ given, help, options }: ServerCommand<Given>) {
  try {
    const { values } = parseArgs({
      options: { ...options, json: { type: 'boolean' }, help: { type: 'boolean' } },
    });
    return { given: given.parse(values), ...shared.parse(values) };
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    process.stderr.write(`${why}\n\n${help}`);
    process.exit(2);
  }
}
