import { Command, CommanderError } from 'commander';
import { z } from 'zod';
import type { FerryCommand } from './command.ts';
import { EXIT, type ExitStatus, misuse, toFailure } from './failure.ts';
import { type Ferry, openFerry } from './ferry.ts';
import { openTerminal } from './terminal.ts';

/** What the first words of commands with two have in common. */
const GROUPS: Readonly<Record<string, string>> = {
  user: 'users and their settings',
  dropbox: "lets Ferry into users' Dropboxes",
  policy: 'what the operator allows users',
};

const ABOUT = `Configures Ferry's users and looks after their backups.

A command is about the stage that --stage names, in the account and Region that the AWS CLI would
use, or with --local about the Ferry that "npm start -- --keep" runs on this machine.`;

const STATUS = `
Exit status: 0 done, 1 tried and failed, 2 wrong arguments, 3 no such stage, user, destination or run.
With --json the last line of standard output is one JSON document, {"error": …} where it failed, and
everything else goes to standard error.`;

const shared = z.object({
  json: z.boolean().default(false),
  local: z.boolean().default(false),
  stage: z.string().optional(),
  region: z.string().optional(),
});

/** Runs one command line; the exit status. */
export async function runFerry(
  commands: readonly FerryCommand[],
  args: readonly string[],
): Promise<ExitStatus> {
  let status: ExitStatus = EXIT.done;
  const program = buildProgram(commands, async (command, given) => {
    status = await runCommand(command, given);
  });
  try {
    await program.parseAsync([...args], { from: 'user' });
    return status;
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) throw thrown;
    if (thrown.exitCode === 0) return EXIT.done;
    if (args.includes('--json')) {
      openTerminal(true).end({ error: thrown.message.replace(/^error: /, '') });
    }
    return EXIT.misuse;
  }
}

async function runCommand(command: FerryCommand, given: unknown): Promise<ExitStatus> {
  const { json, local, region, stage } = shared.parse(given);
  const terminal = openTerminal(json);
  using opened = new DisposableStack();
  let found: Promise<Ferry> | undefined;
  const ferry = () => {
    found ??= openFerry({ local, region, stage: stage ?? process.env.FERRY_STAGE ?? 'dev' }).then(
      (open) => opened.use(open),
    );
    return found;
  };
  try {
    for (const [name, value] of Object.entries({ region, stage })) {
      if (!local || value === undefined) continue;
      throw misuse(`--${name} is for a Ferry in AWS: leave it out, or --local.`);
    }
    const answer = await command.run(given, { say: terminal.say, ferry });
    terminal.end(answer.result);
    return answer.status ?? EXIT.done;
  } catch (thrown) {
    return terminal.fail(toFailure(thrown));
  }
}

/** The commands as the parser knows them. */
export function buildProgram(
  commands: readonly FerryCommand[],
  run: (command: FerryCommand, given: unknown) => Promise<void>,
): Command {
  const program = settle(new Command('ferry'))
    .description(flow(ABOUT))
    .option('--local', 'the Ferry that runs on this machine', false)
    .option('--stage <name>', 'the deployed stage (default: FERRY_STAGE, or "dev")')
    .option('--region <name>', 'AWS Region of the deployment')
    .option('--json', 'one JSON document for programs, in the last line of standard output', false)
    .addHelpText('after', STATUS);
  const groups = new Map<string, Command>();
  for (const command of commands) {
    const words = command.name.split(' ');
    const last = words.pop() ?? '';
    const [group] = words;
    const parent = group === undefined ? program : groupOf(group, program, groups);
    addCommand(parent, last, command, run);
  }
  return program;
}

function groupOf(name: string, program: Command, groups: Map<string, Command>): Command {
  const known = groups.get(name);
  if (known) return known;
  const group = settle(program.command(name)).description(GROUPS[name] ?? '');
  groups.set(name, group);
  return group;
}

function addCommand(
  parent: Command,
  word: string,
  command: FerryCommand,
  run: (command: FerryCommand, given: unknown) => Promise<void>,
): void {
  const added = settle(parent.command(word))
    .summary(command.summary)
    .description(flow([command.summary, command.about].filter(Boolean).join('\n\n')));
  const named = Object.entries(command.arguments);
  for (const [name, about] of named) added.argument(name, about);
  for (const [flags, about] of Object.entries(command.options ?? {})) added.option(flags, about);
  const examples = command.examples.map((line) => `  ${line}`).join('\n');
  const heading = command.examples.length === 1 ? 'Example' : 'Examples';
  added.addHelpText('after', `\n${heading}:\n${examples}`);
  added.action(async () => {
    const values = named.map(([name], at) => [name.replace(/\W/g, ''), added.args[at]] as const);
    await run(command, { ...added.optsWithGlobals(), ...Object.fromEntries(values) });
  });
}

/** Paragraphs without the line ends within them: the parser breaks lines to the terminal's width. */
function flow(text: string): string {
  return text.replace(/(?<!\n)\n(?!\n)/g, ' ');
}

/** Errors are thrown, wherever they are met, and the parser tells of them in the same way. */
function settle(command: Command): Command {
  return command
    .exitOverride()
    .allowExcessArguments(false)
    .helpCommand(false)
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('"--help" behind the command tells how it is used.');
}
