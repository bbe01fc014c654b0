import type { Job } from '../../../functions/core/job.ts';
import type { JobResult } from '../../../functions/transfer/ports.ts';
import type { Invocation } from '../cloud/environment.ts';
import type { History } from '../time/history.ts';
import type { Judge } from './judge.ts';

/** Who does what, as no part of Ferry knows it: what invariants are judged by. */
export interface Witness {
  logOf(invocation: Invocation): Log;
  /** An invocation begins a job; `owner` is what it calls itself in the lease. */
  began(owner: string, invocation: Invocation, job: Job): void;
  workerOf(owner: string): Worker | undefined;
  received(messageId: string): void;
  answered(messageId: string, result: JobResult): void;
  /** What came of the last delivery of a message; undefined where it gave no answer. */
  lastAnswer(messageId: string): JobResult | undefined;
  /** Deliveries of jobs to workers so far. */
  readonly invocations: number;
  /** Continuations so far. */
  readonly hops: number;
}

export interface Worker {
  readonly invocation: Invocation;
  readonly job: Job;
}

interface Log {
  debug(message: string, fields: Record<string, unknown>): void;
  info(message: string, fields: Record<string, unknown>): void;
  warn(message: string, fields: Record<string, unknown>): void;
}

/** Errors of a program and not of the world it is in. */
const MISTAKES = /^(TypeError|RangeError|ReferenceError|SyntaxError|ZodError|\$ZodError)/;

export function openWitness(history: History, judge: Judge): Witness {
  const workers = new Map<string, Worker>();
  const answers = new Map<string, JobResult>();
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
    began(owner, invocation, job) {
      workers.set(owner, { invocation, job });
    },
    workerOf: (owner) => workers.get(owner),
    received: (messageId) => void answers.delete(messageId),
    answered(messageId, result) {
      answers.set(messageId, result);
      if (result.outcome === 'continued') hops += 1;
    },
    lastAnswer: (messageId) => answers.get(messageId),
    get invocations() {
      return workers.size;
    },
    get hops() {
      return hops;
    },
  };
}
