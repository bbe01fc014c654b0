import { parseArgs } from 'node:util';
import { plants } from '../plants/plants.ts';

/** What `npm run simulate` was asked for. */
export interface Choices {
  readonly seeds: number;
  readonly seed: number;
  readonly json: boolean;
  readonly trace: boolean;
  readonly help: boolean;
  /** Name of a bug to be planted. */
  readonly plant: string | undefined;
}

export const HELP = `npm run simulate -- --seeds N [--seed FIRST] [--json] [--trace] [--plant NAME]

Runs the scheduling and the transfer logic in N simulated worlds, one for each seed from FIRST (1) on,
and stops at nothing: crashes, lost answers, duplicates, edits, full disks. Nothing waits and nothing
leaves this process; the same seed gives the same history.

  --json        the last line of standard output is one JSON document
  --trace       prints the whole history of the one seed that --seed names
  --plant NAME  with a bug planted; ends at the first seed that catches it
  --help        this text

Bugs that can be planted:
${plants.map(({ name, what }) => `  ${name.padEnd(24)}${what}`).join('\n')}

Exit status: 0 when nothing was violated, 1 when something was, 2 for a wrong option.
`;

/** @throws Error naming what is wrong */
export function readChoices(args: readonly string[]): Choices {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seeds: { type: 'string' },
      seed: { type: 'string', default: '1' },
      json: { type: 'boolean', default: false },
      trace: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      plant: { type: 'string' },
    },
  });
  const { json, trace, help, plant } = values;
  const seeds = number('--seeds', values.seeds ?? (trace ? '1' : '1000'));
  if (trace && seeds !== 1) throw new Error('--trace shows one seed: give --seeds 1.');
  if (plant !== undefined && !plants.some(({ name }) => name === plant)) {
    throw new Error(`There is no bug "${plant}" to plant; --help lists them.`);
  }
  return { seeds, seed: number('--seed', values.seed), json, trace, help, plant };
}

function number(name: string, text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new Error(`${name} is a whole number; "${text}" is none.`);
}
