import type { Outcome } from './simulate.ts';

/** Counts over all worlds. */
export interface Totals {
  seeds: number;
  violations: number;
  /** Processes that died. */
  crashes: number;
  faults: number;
  /** Continuations of a job in another invocation. */
  hops: number;
  deliveries: number;
  invocations: number;
  events: number;
}

export function noTotals(): Totals {
  return {
    ...{ seeds: 0, violations: 0, crashes: 0, faults: 0, hops: 0 },
    ...{ deliveries: 0, invocations: 0, events: 0 },
  };
}

export function count(totals: Totals, outcome: Outcome): void {
  totals.seeds += 1;
  totals.violations += outcome.violation ? 1 : 0;
  for (const name of COUNTED) totals[name] += outcome[name];
}

const COUNTED = ['crashes', 'faults', 'hops', 'deliveries', 'invocations', 'events'] as const;

/** What a person needs to look into a violation. */
export function describeViolation(outcome: Outcome, plant: string | undefined): string {
  const { seed, violation, history } = outcome;
  if (!violation) return '';
  const planted = plant === undefined ? '' : ` --plant ${plant}`;
  return [
    '',
    ...history,
    '',
    `Seed ${seed}: "${violation.invariant}" does not hold: ${violation.seen}`,
    `Replay: npm run simulate -- --seeds 1 --seed ${seed} --trace${planted}`,
    '',
  ].join('\n');
}

export function summarize(totals: Totals, seconds: number): string {
  const { seeds, violations, crashes, faults, hops, deliveries, invocations, events } = totals;
  const told = (number: number) => number.toLocaleString('en-US');
  return (
    `${told(seeds)} worlds in ${seconds.toFixed(1)} s: ${told(events)} events, ` +
    `${told(invocations)} invocations of the transfer function, ${told(hops)} continuations, ` +
    `${told(deliveries)} deliveries, ${told(faults)} faults, ${told(crashes)} processes killed, ` +
    `${violations === 0 ? 'nothing' : told(violations)} violated.`
  );
}

/** The last line with `--json`. */
export function asJson({ seeds, violations, crashes, faults, hops }: Totals): string {
  return JSON.stringify({ seeds, violations, crashes, faults, hops });
}
