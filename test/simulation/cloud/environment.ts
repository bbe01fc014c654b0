import type { Clock } from '../../../functions/core/clock.ts';
import type { Judge } from '../invariants/judge.ts';
import type { Faults } from '../time/faults.ts';
import type { History } from '../time/history.ts';
import type { Random } from '../time/random.ts';
import type { Timeline } from '../time/timeline.ts';

/** What every part of a world shares. */
export interface Nature {
  readonly timeline: Timeline;
  readonly random: Random;
  readonly faults: Faults;
  readonly history: History;
  readonly judge: Judge;
}

/** How an invocation ended that gave no answer. */
export type Death = 'crashed' | 'timed out';

/** One invocation of a function. */
export interface Invocation {
  readonly name: string;
  readonly clock: Clock;
  readonly state: 'running' | 'answered' | Death;
  /** Kills the process: nothing that it waits for ever comes. */
  die(how: Death): void;
  /**
   * Hands something from outside to the code. Never where the process is dead; a process that is frozen
   * between two invocations gets it when it is thawed.
   */
  deliver(happen: () => void): void;
}

/** One execution environment of Lambda: a process that is frozen between invocations. */
export interface Environment {
  readonly isIdle: boolean;
  /** Runs one invocation; `ended` gets what it answered or how it died. */
  invoke<T>(
    timeoutMs: number,
    work: (invocation: Invocation) => Promise<T>,
    ended: (how: { readonly answer: T } | Death) => void,
  ): void;
}

/** How long after the start of an invocation what had come in the meantime is seen, in ms. */
const THAW_MS = 50;
/** How often an environment is replaced by a new one although nothing happened to it. */
const RECYCLED = 0.3;

/** @param mostSkewMs how far the clock of a process may be from the true time, either way */
export function openEnvironment(nature: Nature, name: string, mostSkewMs: number): Environment {
  const { timeline, random, faults, history } = nature;
  let invocations = 0;
  let current: Invocation | undefined;
  let process = startProcess();

  function startProcess() {
    const skew = Math.round((random.next() * 2 - 1) * mostSkewMs);
    const waiting: (() => void)[] = [];
    return { skew, waiting, isDead: false, isFrozen: false };
  }

  return {
    get isIdle() {
      return current === undefined;
    },

    invoke(timeoutMs, work, ended) {
      if (process.isDead || random.chance(RECYCLED)) process = startProcess();
      const own = process;
      own.isFrozen = false;
      for (const happen of own.waiting.splice(0)) {
        timeline.after(random.between(0, THAW_MS), () => invocation.deliver(happen));
      }
      invocations += 1;
      const endsAt = timeline.now() + timeoutMs;
      let state: Invocation['state'] = 'running';

      const end = (how: Parameters<typeof ended>[0]) => {
        if (state !== 'running') return;
        state = typeof how === 'string' ? how : 'answered';
        if (current === invocation) current = undefined;
        history.note(invocation.name, state);
        ended(how);
      };
      const deliver = (happen: () => void) => {
        if (own.isDead) return;
        if (own.isFrozen) own.waiting.push(happen);
        else happen();
      };
      const invocation: Invocation = {
        name: `${name}/${invocations}`,
        clock: openClock(nature, own.skew, endsAt, deliver),
        get state() {
          return state;
        },
        deliver,
        die(how) {
          if (state !== 'running') return;
          own.isDead = true;
          end(how);
        },
      };
      current = invocation;
      timeline.after(timeoutMs, () => invocation.die('timed out'));
      if (faults.strikes('kill')) {
        timeline.after(random.between(0, timeoutMs), () => invocation.die('crashed'));
      }
      work(invocation).then(
        (answer) => {
          own.isFrozen ||= state === 'running';
          end({ answer });
        },
        (error: unknown) => {
          history.note(invocation.name, 'threw', String(error));
          own.isFrozen ||= state === 'running';
          end('crashed');
        },
      );
    },
  };
}

function openClock(
  { timeline, random }: Nature,
  skew: number,
  endsAt: number,
  deliver: (happen: () => void) => void,
): Clock {
  return {
    now: () => timeline.now() + skew,
    remaining: () => endsAt - timeline.now(),
    pause(ms, signal) {
      return new Promise((resolve) => {
        if (signal?.aborted) return resolve();
        const done = () => {
          signal?.removeEventListener('abort', done);
          resolve();
        };
        signal?.addEventListener('abort', done);
        timeline.after(ms, () => deliver(done));
      });
    },
    deadline(ms) {
      const passed = new AbortController();
      timeline.after(ms, () => {
        deliver(() => passed.abort(new DOMException('The time is up.', 'TimeoutError')));
      });
      return passed.signal;
    },
    random: random.next,
  };
}
