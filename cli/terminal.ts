import type { ExitStatus, Failure } from './failure.ts';

/** Where a command tells what it does and how it came out. */
export interface Terminal {
  /** A line for people. */
  say(line: string): void;
  /** Ends with what a command answered. */
  end(result: unknown): void;
  /** Ends with why it could not answer; the exit status of that. */
  fail(failure: Failure): ExitStatus;
}

/** @param json standard output is for programs: one JSON document, in its last line */
export function openTerminal(json: boolean): Terminal {
  const out = json ? process.stderr : process.stdout;
  const print = (document: unknown) => void process.stdout.write(`${JSON.stringify(document)}\n`);
  return {
    say: (line) => void out.write(`${line}\n`),
    end(result) {
      if (json) print(result);
    },
    fail({ message: error, problems, status }) {
      process.stderr.write(`${error}\n`);
      for (const { path, problem, remedy } of problems) {
        process.stderr.write(`  ${path}: ${problem} ${remedy}\n`);
      }
      if (json) print(problems.length > 0 ? { error, problems } : { error });
      return status;
    },
  };
}
