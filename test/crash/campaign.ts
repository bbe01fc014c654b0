import { sampleBytes } from '../contract/sample.ts';
import { ARCHIVE_BYTES } from './archive.ts';
import { openChance, seedOf } from './chance.ts';
import type { CrashFerry } from './ferry.ts';
import type { CrashPlace } from './places/place.ts';
import { type RoundResult, runRound } from './round.ts';
import { atEveryStep, calm, type Kill, oneByOne, otherTroubles, type Trouble } from './trouble.ts';

export interface CampaignOptions {
  readonly ferry: CrashFerry;
  readonly place: CrashPlace;
  readonly seed: number;
  /** How many rounds after the first; every one that there is unless given. */
  readonly rounds?: number | undefined;
  /** Told of each round as it ends. */
  readonly onRound: (result: RoundResult) => void;
}

/** What one type came to. */
export interface CampaignResult {
  readonly place: CrashPlace;
  readonly rounds: readonly RoundResult[];
  /** Kills that did not come about, since their step was not taken in those rounds. */
  readonly missed: readonly Kill[];
}

/** Rounds under way at once: while a killed worker is waited for, another one works. */
const AT_ONCE = 4;

/**
 * All rounds of one type: one in which nothing goes wrong tells the steps, then workers are killed
 * before and after each, and everything else goes wrong. Restarts come last, one at a time, since they
 * meet every round.
 */
export async function runCampaign(options: CampaignOptions): Promise<CampaignResult> {
  const { ferry, place, seed, onRound } = options;
  const { type } = place;
  const archive = sampleBytes(ARCHIVE_BYTES, type);
  const rounds: RoundResult[] = [];
  const run = async (trouble: Trouble) => {
    const number = rounds.length + underWay;
    underWay += 1;
    const chance = openChance(seedOf(seed, type, number));
    const userId = `${type}-${number}`;
    const result = await runRound({ ferry, place, userId, archive, trouble, chance });
    underWay -= 1;
    rounds.push(result);
    onRound(result);
    return result;
  };
  let underWay = 0;

  const { steps } = await run(calm());
  const choices = openChance(seedOf(seed, type, 'order'));
  const [everything, ...others] = otherTroubles(choices);
  const all = [
    ...(everything ? [everything] : []),
    ...choices.shuffle([...atEveryStep(steps), ...others]),
  ];
  const chosen = all.slice(0, options.rounds);
  const isAlone = ({ restarts }: Trouble) => restarts.length > 0;
  await inLanes(
    chosen.filter((trouble) => !isAlone(trouble)),
    run,
  );
  const missed = missedKills(rounds);
  if (options.rounds === undefined) await inLanes(oneByOne(missed), run);
  for (const trouble of chosen.filter(isAlone)) await run(trouble);
  return { place, rounds, missed: missedKills(rounds) };
}

async function inLanes(troubles: readonly Trouble[], run: (trouble: Trouble) => Promise<unknown>) {
  const left = [...troubles];
  const lane = async () => {
    for (let next = left.shift(); next; next = left.shift()) await run(next);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}

function missedKills(rounds: readonly RoundResult[]): Kill[] {
  const keyOf = ({ step, when }: Kill) => `${when} ${step}`;
  const done = new Set(rounds.flatMap(({ killed }) => killed.map(keyOf)));
  const wanted = new Map(rounds.flatMap((one) => one.trouble.kills.map((k) => [keyOf(k), k])));
  return [...wanted].filter(([key]) => !done.has(key)).map(([, kill]) => kill);
}
