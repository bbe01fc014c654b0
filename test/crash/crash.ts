import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { type CampaignResult, runCampaign } from './campaign.ts';
import { startCrashFerry } from './ferry.ts';
import { CRASH_PLACES, startPlace } from './places/all.ts';
import { describeRound } from './report.ts';

export interface CrashOptions {
  readonly types: readonly string[];
  readonly rounds?: number | undefined;
  readonly seed: number;
  /** A folder for what is stored. */
  readonly scratch: string;
  readonly say: (line: string) => void;
}

/** Enough that a machine with much else to do answers within it. */
const FUNCTION_SECONDS = 20;
/** How long messages of workers that died at the very end may still come back, in ms. */
const DRAIN_MS = 120_000;

/** Runs every round of every type, all types at once, and waits until no message is left. */
export async function runCrash(options: CrashOptions): Promise<CampaignResult[]> {
  const { types, rounds, seed, scratch, say } = options;
  const told: string[] = [];
  await using ferry = await startCrashFerry(
    scratch,
    FUNCTION_SECONDS,
    (line) => void told.push(line),
  );
  await using places = new AsyncDisposableStack();
  const campaigns = types.map(async (type) => {
    const started = await startPlace(CRASH_PLACES, type, join(scratch, type));
    const place = places.adopt(started, (one) => one.stop());
    const onRound = (result: Parameters<typeof describeRound>[0]) => {
      say(describeRound(result));
      if (result.failures.length === 0) return;
      for (const line of told.filter((one) => concerns(one, result.userId))) say(`    ${line}`);
    };
    return runCampaign({ ferry, place, rounds, seed, onRound });
  });
  const results = await Promise.all(campaigns);
  const until = Date.now() + DRAIN_MS;
  while ((await ferry.ferry.pipeline.countMessages()) > 0) {
    if (Date.now() > until) throw new Error('Messages are left on the queue.');
    await wait(200);
  }
  return results;
}

/** Of a process that ended it is not told whose job it had. */
function concerns(line: string, userId: string): boolean {
  return line.includes(userId) || /timed out|process .* ended/.test(line);
}
