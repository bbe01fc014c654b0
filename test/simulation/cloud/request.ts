import type { Invocation, Nature } from './environment.ts';

/** A service as the processes reach it. */
export interface Service {
  readonly name: string;
  /** Shortest and longest way there and back together, in ms. */
  readonly ms: readonly [number, number];
  /** How often a request is sent, the first time included, before its failure is told. */
  readonly attempts: number;
}

/** What the caller is told in place of an answer. */
export type Trouble = 'no answer' | 'throttled';

export interface Request<T> {
  readonly service: Service;
  readonly what: string;
  readonly signal?: AbortSignal | undefined;
  /** Bytes on their way, or anything else that takes longer than the request alone, in ms. */
  readonly longerMs?: number;
  /** The effect, all at once. What it throws is the service's refusal. */
  readonly effect: () => T;
  /** The caller's error for trouble on the way. */
  readonly explain: (trouble: Trouble) => unknown;
}

/** How long a request can take that is slow, in ms; a lost one is noticed after as long. */
const SLOWEST_MS = 15_000;
const FOREVER = new Promise<never>(() => {});

class OnTheWay {
  readonly trouble: Trouble;
  constructor(trouble: Trouble) {
    this.trouble = trouble;
  }
}

/**
 * Sends a request of a process and gives the answer, as far as both come through. A process that dies
 * meanwhile is never told; whether its request still takes effect is decided by chance.
 */
export async function ask<T>(
  nature: Nature,
  invocation: Invocation,
  request: Request<T>,
): Promise<T> {
  const { attempts } = request.service;
  for (let attempt = 1; ; attempt++) {
    try {
      return await send(nature, invocation, request);
    } catch (thrown) {
      if (!(thrown instanceof OnTheWay)) throw thrown;
      if (attempt >= attempts) throw request.explain(thrown.trouble);
      await invocation.clock.pause(100 * 2 ** attempt * nature.random.next(), request.signal);
      request.signal?.throwIfAborted();
    }
  }
}

function send<T>(nature: Nature, invocation: Invocation, request: Request<T>): Promise<T> {
  const { timeline, random, faults, history } = nature;
  const { service, signal, what } = request;
  if (invocation.state === 'crashed' || invocation.state === 'timed out') return FOREVER;
  signal?.throwIfAborted();
  const who = invocation.name;
  const told = `${service.name}: ${what}`;
  const crashes = invocation.state === 'running' && faults.strikes('crash');
  const fault = (['cut', 'lost', 'throttled'] as const).find((kind) => faults.strikes(kind));
  const slow = faults.strikes('slow') ? random.between(1000, SLOWEST_MS) : 0;
  const [least, most] = service.ms;
  const longerMs = request.longerMs ?? 0;
  const thereMs = random.between(least, most) / 2 + slow * random.next() + longerMs;
  const backMs = random.between(least, most) / 2 + slow * random.next();

  return new Promise((resolve, reject) => {
    let isCalledOff = false;
    const stop = () => {
      signal?.removeEventListener('abort', stop);
      isCalledOff = true;
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', stop);
    const answer = (ms: number, settle: () => void) => {
      timeline.after(ms, () =>
        invocation.deliver(() => {
          signal?.removeEventListener('abort', stop);
          settle();
        }),
      );
    };
    timeline.after(thereMs, () => {
      const isDead = invocation.state === 'crashed' || invocation.state === 'timed out';
      // What is called off is torn down; of what a dead process sent anything may still arrive.
      if (isCalledOff || (isDead && random.chance(0.5))) return;
      if (fault === 'cut' || fault === 'throttled') {
        history.note(who, told, fault);
        const trouble = fault === 'cut' ? 'no answer' : 'throttled';
        answer(backMs, () => reject(new OnTheWay(trouble)));
        return;
      }
      const settle = take(request, (outcome) => history.note(who, told, outcome, fault ?? ''));
      if (fault === 'lost') answer(backMs, () => reject(new OnTheWay('no answer')));
      else answer(backMs, () => settle(resolve, reject));
    });
    if (crashes) timeline.after(random.next() * thereMs * 2, () => invocation.die('crashed'));
  });
}

/** Lets a request take effect; what comes of it is told later. */
function take<T>(request: Request<T>, tell: (outcome: string) => void) {
  try {
    const value = request.effect();
    tell('done');
    return (resolve: (value: T) => void) => resolve(value);
  } catch (error) {
    tell(error instanceof Error ? error.name : 'refused');
    return (_: unknown, reject: (error: unknown) => void) => reject(error);
  }
}
