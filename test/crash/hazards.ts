import { setTimeout as wait } from 'node:timers/promises';
import type { FaultProxy } from '../servers/fault-proxy.ts';
import type { Chance } from './chance.ts';
import type { CrashFerry } from './ferry.ts';
import type { CrashPlace, Happening, Place, Watch } from './places/place.ts';
import type { Kill, Trouble } from './trouble.ts';

export interface HazardOptions {
  readonly crash: CrashFerry;
  /** A server that can be stopped, where the trouble asks for it. */
  readonly place: Place | CrashPlace;
  readonly userId: string;
  readonly trouble: Trouble;
  readonly chance: Chance;
}

/** Makes the trouble of one round happen, and keeps count of it. */
export interface Hazards {
  readonly atDestination: Watch;
  readonly atOwn: Watch;
  /** Cuts the wire and restarts the server as bytes go by. */
  follow(wire: FaultProxy): void;
  /** Whether every kill at a step has come about. */
  isDone(): boolean;
  /** Ends everything; resolves when the server runs again. */
  settled(): Promise<void>;
  tell(): {
    readonly steps: readonly string[];
    readonly killed: readonly Kill[];
    readonly surprises: number;
    readonly restarts: number;
    readonly cuts: number;
    readonly lost: number;
    readonly late: number;
    readonly recoveryMs: number;
  };
}

const LOOK_MS = 20;
/** The longest that a late answer takes, and that a server is away, in ms. */
const LATEST_MS = 500;
const AWAY_MS = 1500;
/** A worker that is killed at a random moment has been at work for up to so many ms. */
const SURPRISE_MS = 3000;

export function openHazards(options: HazardOptions): Hazards {
  const { crash, place, userId, trouble, chance } = options;
  const steps = new Set<string>();
  const killed: Kill[] = [];
  const timers = new Set<NodeJS.Timeout>();
  const count = { surprises: 0, restarts: 0, cuts: 0, lost: 0, late: 0 };
  let mishapAt: number | undefined;
  let recoveryMs = 0;
  let isOver = false;
  let following: Promise<void> = Promise.resolve();
  let planned = trouble.surprises;
  let last = '';

  const mishap = () => {
    mishapAt = performance.now();
  };
  const hadEffect = () => {
    if (mishapAt === undefined) return;
    recoveryMs = Math.max(recoveryMs, performance.now() - mishapAt);
    mishapAt = undefined;
  };
  const die = (kill: Kill): boolean => {
    if (!crash.kill(userId)) return false;
    killed.push(kill);
    mishap();
    return true;
  };
  const surprise = () => {
    planned -= 1;
    const timer = setTimeout(
      () => {
        timers.delete(timer);
        if (!crash.kill(userId)) return;
        count.surprises += 1;
        mishap();
      },
      chance.whole(50, SURPRISE_MS),
    );
    timers.add(timer);
  };

  const happen = (step: string): Happening => {
    steps.add(step);
    const next = trouble.kills[killed.length];
    if (next?.step === step) {
      if (next.when === 'before') return die(next) ? 'lose-request' : undefined;
      return async () => (die(next) ? 'lose-answer' : undefined);
    }
    const lot = chance.next() * 100;
    if (lot < trouble.lost) {
      count.lost += 1;
      mishap();
      return lot < trouble.lost / 2 ? 'lose-request' : async () => 'lose-answer';
    }
    if (lot < trouble.lost + trouble.late) {
      count.late += 1;
      const ms = chance.whole(50, LATEST_MS);
      return async () => {
        await wait(ms);
        return undefined;
      };
    }
    hadEffect();
    return undefined;
  };

  const follow = async (wire: FaultProxy) => {
    const events = [
      ...trouble.cuts.map((bytes) => ({ bytes, isCut: true })),
      ...trouble.restarts.map((bytes) => ({ bytes, isCut: false })),
    ].sort((a, b) => a.bytes - b.bytes);
    for (const { bytes, isCut } of events) {
      while (wire.sentBytes < bytes && !isOver) await wait(LOOK_MS);
      if (isOver) return;
      wire.cut();
      mishap();
      if (isCut) {
        count.cuts += 1;
        continue;
      }
      if (!('halt' in place)) throw new Error(`${place.server} cannot be stopped.`);
      await place.halt();
      await wait(chance.whole(100, AWAY_MS));
      await place.start();
      count.restarts += 1;
    }
  };

  return {
    atDestination: (step) => happen(`destination: ${step}`),
    atOwn(given) {
      const step = nameInContext(given, last);
      last = given;
      if (given === 'runs: lease taken' && planned > 0) surprise();
      return happen(step);
    },
    follow(wire) {
      following = follow(wire);
    },
    isDone: () => killed.length === trouble.kills.length,
    async settled() {
      isOver = true;
      for (const timer of timers) clearTimeout(timer);
      await following;
    },
    tell: () => ({ steps: [...steps], killed, ...count, recoveryMs }),
  };
}

/** The same write means another thing when a job begins, goes on and ends. */
function nameInContext(step: string, before: string): string {
  if (step === 'runs: job running') {
    return before === 'runs: lease taken' ? 'runs: job begun' : 'runs: job goes on';
  }
  if (step !== 'runs: lease given back') return step;
  if (before === 'queue: continuation') return 'runs: lease given back, again';
  return before === 'runs: job running'
    ? 'runs: lease given back for the next hop'
    : 'runs: lease given back at the end';
}
