import type { Random } from './random.ts';

/** What can go wrong at a step, each with a rate of its own in every world. */
const RATES = {
  /** Of a request: the process dies before its answer. */
  crash: 0.004,
  /** Of an invocation: the process dies at any time. */
  kill: 0.08,
  /** Of a request: it never arrives. */
  cut: 0.03,
  /** Of a request: it takes effect, and the answer is lost. */
  lost: 0.03,
  /** Of a request: it is refused for now. */
  throttled: 0.03,
  /** Of a request: it takes many seconds. */
  slow: 0.02,
  /** Of a message: it is received twice, or comes back although it was deleted. */
  duplicate: 0.05,
  /** Of a message: it shows up late. */
  late: 0.1,
  /** Of a part: a bit changes on its way. */
  flip: 0.02,
  /** Of a part: the destination stores less than it was sent. */
  short: 0.02,
  /** Of a request to a destination: it has lost an unfinished upload. */
  forgotten: 0.004,
  /** Of a request to a destination: it loses what was not written to disk. */
  reboot: 0.004,
} as const;

export type Fault = keyof typeof RATES;

/** What goes wrong in one world. */
export interface Faults {
  /** Whether it goes wrong this time. */
  strikes(fault: Fault): boolean;
  /** Ends all trouble. */
  heal(): void;
  readonly healed: boolean;
  /** How often anything went wrong. */
  readonly struck: number;
  /** Whether nothing goes wrong in this world at all. */
  readonly calm: boolean;
}

const CALM = 0.08;
const ON = 0.55;

/** Of some worlds nothing troubles the peace; in the others each fault is there or not, rare or frequent. */
export function openFaults(random: Random): Faults {
  const calm = random.chance(CALM);
  const rates = new Map<string, number>();
  for (const [fault, rate] of Object.entries(RATES)) {
    const isOn = random.chance(ON);
    const strength = 4 ** (random.next() * 2 - 1);
    rates.set(fault, isOn && !calm ? Math.min(0.5, rate * strength) : 0);
  }
  let healed = false;
  let struck = 0;
  return {
    strikes(fault) {
      const rate = rates.get(fault) ?? 0;
      if (healed || rate === 0 || !random.chance(rate)) return false;
      struck += 1;
      return true;
    },
    heal() {
      healed = true;
    },
    get healed() {
      return healed;
    },
    get struck() {
      return struck;
    },
    calm,
  };
}
