import type { JobResult } from '../../../functions/transfer/ports.ts';
import type { Invocation } from '../cloud/environment.ts';
import type { History } from '../time/history.ts';
import type { Judge } from './judge.ts';

/** Who does what, as no part of Ferry knows it: what invariants are judged by. */
export interface Witness {
  logOf(invocation: Invocation): Log;
  began(): void;
  answered(delivery: string, by: Invocation, result: JobResult): void;
  /** What came of one delivery of a message; undefined where it gave no answer. */
  answerOf(delivery: string): Answer | undefined;
  /** Deliveries of jobs to workers so far. */
  readonly invocations: number;
  /** Continuations so far. */
  readonly hops: number;
}

export interface Answer {
  readonly outcome: JobResult['outcome'];
  readonly by: Invocation;
}

interface Log {
  debug(message: string, fields: Record<string, unknown>): void;
  info(message: string, fields: Record<string, unknown>): void;
  warn(message: string, fields: Record<string, unknown>): void;
}

/** Errors of a program and not of the world it is in. */
const MISTAKES = /^(TypeError|RangeError|ReferenceError|SyntaxError|ZodError|\$ZodError)/;

export function openWitness(history: History, judge: Judge): Witness {
  const answers = new Map<string, Answer>();
  let invocations = 0;
  let hops = 0;

  const look = (message: string, told: unknown, depth = 0) => {
    const words = told instanceof Error ? `${told.name}: ${told.message}` : told;
    if (typeof words === 'string' && MISTAKES.test(words)) {
      judge.violate('no mistakes', `"${message}" was logged with ${words}`);
    }
    if (told instanceof Error && depth < 5) look(message, told.cause, depth + 1);
  };

  return {
    logOf(invocation) {
      const note = (message: string, fields: Record<string, unknown>) => {
        look(message, fields.error);
        look(message, fields.cause);
        const { error, ...others } = fields;
        history.note(invocation.name, `log: ${message}`, others, error ? String(error) : '');
      };
      return { debug() {}, info: note, warn: note };
    },
    began() {
      invocations += 1;
    },
    answered(delivery, by, { outcome }) {
      answers.set(delivery, { outcome, by });
      if (outcome === 'continued') hops += 1;
    },
    answerOf: (delivery) => answers.get(delivery),
    get invocations() {
      return invocations;
    },
    get hops() {
      return hops;
    },
  };
}
