import { plantBug } from './plants/plant-bug.ts';
import { runBatch } from './run/batch.ts';
import { type Choices, HELP, readChoices } from './run/choices.ts';
import { asJson, count, describeViolation, noTotals, summarize } from './run/report.ts';

/** Violations that are told at length. */
const MOST_TOLD = 3;
const PROGRESS_MS = 1_000;

const say = (text: string) => void process.stdout.write(`${text}\n`);

/** `npm run simulate`; gives the exit status. */
async function main(args: readonly string[]): Promise<number> {
  let choices: Choices;
  try {
    choices = readChoices(args);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
    return 2;
  }
  if (choices.help) {
    say(HELP);
    return 0;
  }
  return choices.trace ? trace(choices) : simulateAll(choices);
}

async function simulateAll({ seed: first, seeds, json, plant }: Choices): Promise<number> {
  const startedAt = Date.now();
  const totals = noTotals();
  let toldAt = startedAt;
  await runBatch({
    ...{ first, seeds, plant },
    ended(outcome) {
      count(totals, outcome);
      if (outcome.violation && totals.violations <= MOST_TOLD) {
        say(describeViolation(outcome, plant));
      }
      if (Date.now() - toldAt >= PROGRESS_MS) {
        toldAt = Date.now();
        process.stderr.write(`${totals.seeds} of ${seeds} worlds, ${totals.violations} violated\n`);
      }
      return plant !== undefined && outcome.violation !== undefined;
    },
  });
  say(summarize(totals, (Date.now() - startedAt) / 1000));
  if (json) say(asJson(totals));
  return totals.violations === 0 ? 0 : 1;
}

async function trace({ seed, json, plant }: Choices): Promise<number> {
  if (plant !== undefined) plantBug(plant);
  const { simulate } = await import('./run/simulate.ts');
  const totals = noTotals();
  const outcome = await simulate(seed, { lines: Number.POSITIVE_INFINITY });
  count(totals, outcome);
  if (outcome.violation) say(describeViolation(outcome, plant));
  else say([...outcome.history, ''].join('\n'));
  say(`Fingerprint ${outcome.fingerprint} after ${outcome.events} events.`);
  if (json) say(asJson(totals));
  return outcome.violation ? 1 : 0;
}

process.exitCode = await main(process.argv.slice(2));
