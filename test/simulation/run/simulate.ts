import type { Nature } from '../cloud/environment.ts';
import { type Judge, openJudge, type Violation } from '../invariants/judge.ts';
import { openFaults } from '../time/faults.ts';
import { openHistory } from '../time/history.ts';
import { openRandom } from '../time/random.ts';
import { openTimeline } from '../time/timeline.ts';
import { openWorld, type World } from './world.ts';

/** What became of one world. */
export interface Outcome {
  readonly seed: number;
  readonly violation: Violation | undefined;
  /** The last things that happened, or all of them. */
  readonly history: readonly string[];
  /** The same whenever the same seed is simulated with the same code. */
  readonly fingerprint: string;
  readonly events: number;
  /** Processes that died. */
  readonly crashes: number;
  readonly faults: number;
  readonly invocations: number;
  readonly hops: number;
  readonly deliveries: number;
}

export interface How {
  /** How many of the last lines of history are kept. */
  readonly lines: number;
}

const START = Date.parse('2026-11-22T02:00:00Z');
const HOUR_MS = 3_600_000;
const LONGEST_MS = 5 * 24 * HOUR_MS;
const MOST_EVENTS = 400_000;

/** Runs one world: a few hours of trouble, then peace, and at last one more slot for everybody. */
export async function simulate(seed: number, { lines }: How): Promise<Outcome> {
  const random = openRandom(seed);
  const timeline = openTimeline(START + random.between(0, 3_000_000));
  const judge = openJudge();
  const history = openHistory(timeline.now, lines);
  const faults = openFaults(random.fork());
  const nature: Nature = { timeline, random, faults, history, judge };
  const world = openWorld(nature);
  const unhandled = (error: unknown) => {
    judge.violate('no mistakes', `a promise was rejected and nobody looked: ${String(error)}`);
  };
  process.on('unhandledRejection', unhandled);
  try {
    await live(nature, world, judge);
  } catch (thrown) {
    judge.violate('the simulation works', thrown instanceof Error ? `${thrown.stack}` : 'it threw');
  } finally {
    process.off('unhandledRejection', unhandled);
  }
  const { deliveries, witness } = world.deployment;
  return {
    seed,
    violation: judge.verdict,
    history: history.lines(),
    fingerprint: history.fingerprint(),
    events: timeline.events,
    crashes: nature.history.deaths,
    faults: faults.struck,
    invocations: witness.invocations,
    hops: witness.hops,
    deliveries: deliveries.receipts,
  };
}

async function live(nature: Nature, world: World, judge: Judge): Promise<void> {
  const { faults, history, random, timeline } = nature;
  const { panel, people } = world;
  const startedAt = timeline.now();
  const until = async (isReached: () => boolean) => {
    await timeline.run(() => judge.verdict !== undefined || isTooLong() || isReached());
    if (isTooLong()) judge.violate('the world comes to rest', `it had ${timeline.events} events`);
  };
  const isTooLong = () => timeline.events > MOST_EVENTS || timeline.now() - startedAt > LONGEST_MS;
  const untilTime = async (at: number) => {
    timeline.after(at - timeline.now(), () => {});
    await until(() => timeline.now() >= at);
  };
  /** Everything has ended, and so has every lease of a process that died. */
  const untilQuiet = async () => {
    let isOver = false;
    while (!isOver && judge.verdict === undefined) {
      await until(world.isQuiet);
      const wokenAt = timeline.now() + world.deployment.timeoutMs + 180_000;
      await untilTime(wokenAt);
      isOver = world.isQuiet();
    }
  };

  /** Any time, or just after a run was due. */
  const momentOf = (cron = '', within = 1_500) => {
    const at = random.between(0, troubledMs);
    if (random.chance(0.6)) return at;
    const minutes = Number(/^\*\/(\d+)/.exec(cron)?.[1] ?? 60);
    const late = (startedAt + at) % (minutes * 60_000);
    return at - late + random.between(0, within);
  };

  const troubledMs = random.between(1, 3) * HOUR_MS;
  const meddling = random.chance(0.65) && !faults.calm;
  for (const userId of people.users.keys()) {
    for (let archives = random.between(1, 3); archives > 0; archives--) panel.stage(userId);
    for (let times = random.between(0, 5); times > 0; times--) {
      const at = momentOf(people.users.get(userId)?.cron, 60_000);
      timeline.after(at, () => panel.meddle(userId));
    }
    for (let times = meddling ? random.between(1, 5) : 0; times > 0; times--) {
      timeline.after(momentOf(people.users.get(userId)?.cron), () => people.meddle(userId));
    }
  }
  people.arrive();
  await untilTime(startedAt + troubledMs);

  history.note('world', 'is whole again');
  faults.heal();
  people.repair();
  world.isTicking = false;
  await untilQuiet();
  if (judge.verdict) return;
  world.deployment.jobs.atRest();

  history.note('world', 'has one more slot');
  world.isTicking = true;
  await untilTime(timeline.now() + 2 * HOUR_MS);
  world.isTicking = false;
  const tickedUntil = timeline.now();
  await untilQuiet();
  if (judge.verdict) return;
  world.deployment.jobs.atRest();
  world.judgeEnd(tickedUntil);
}
