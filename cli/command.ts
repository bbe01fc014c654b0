import type { z } from 'zod';
import { type ExitStatus, misuse } from './failure.ts';
import type { Ferry } from './ferry.ts';

/** What a command works with. */
export interface Work {
  /** Tells the person something: on standard output, or on standard error where that is for programs. */
  say(line: string): void;
  /** The deployment that the command is about, found when it is first asked for. */
  ferry(): Promise<Ferry>;
}

/** How a command came out. */
export interface Answer {
  /** For `--json`: plain data, without secrets. */
  readonly result: unknown;
  /** @default EXIT.done */
  readonly status?: ExitStatus;
}

interface Definition<Given> {
  /** Words, such as `user put`. */
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** What else there is to know, for its own help. */
  readonly about?: string;
  /** `<required>` or `[optional]` to what it is, in order. */
  readonly arguments: Readonly<Record<string, string>>;
  /** Flags as they are typed, such as `--file <path>`, to what they do. */
  readonly options?: Readonly<Record<string, string>>;
  /** Whole command lines. */
  readonly examples: readonly [string, ...string[]];
  /** Of arguments and options by their names in camel case; messages name the argument. */
  readonly given: z.ZodType<Given>;
  run(given: Given, work: Work): Promise<Answer>;
}

/** A command of the table; `run` checks what was given. */
export interface FerryCommand extends Omit<Definition<never>, 'given' | 'run'> {
  run(given: unknown, work: Work): Promise<Answer>;
}

export function defineCommand<Given>(definition: Definition<Given>): FerryCommand {
  return {
    ...definition,
    async run(given, work) {
      const parsed = definition.given.safeParse(given);
      if (parsed.success) return definition.run(parsed.data, work);
      throw misuse(parsed.error.issues.map(({ message }) => message).join(' '));
    },
  };
}
