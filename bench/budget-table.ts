import { markdownTable } from '../docs/markdown-table.ts';
import type { Budget } from './budget.ts';
import { spreadOf } from './spread.ts';
import { rateOf } from './warm-deliveries.ts';

/** Rate and peak memory by what a worker may hold, a line for each type and line, as Markdown. */
export function describeBudgets(budgets: readonly Budget[]): string {
  if (budgets.length === 0) return '';
  const sizes = [...new Set(budgets.map(({ inFlightMiB }) => inFlightMiB))].sort((a, b) => a - b);
  const lines = linesOf(budgets).map(([name, ofLine]) => [
    name,
    ...sizes.map((size) => {
      const one = ofLine.find(({ inFlightMiB }) => inFlightMiB === size);
      return one ? `${rateOf(one).toFixed(0)} (${spreadOf(one.peakRssMiB).median.toFixed(0)})` : '';
    }),
  ]);
  const head = ['MiB/s (peak MiB)', ...sizes.map((size) => `${size} MiB`)];
  return `${markdownTable(head, lines)}\n`;
}

/** Those of one type over one line, by a name for both. */
export function linesOf(budgets: readonly Budget[]): readonly (readonly [string, Budget[]])[] {
  const sorted = budgets.toSorted(
    (one, other) =>
      one.type.localeCompare(other.type) ||
      one.rttMs - other.rttMs ||
      one.inFlightMiB - other.inFlightMiB,
  );
  return [...Map.groupBy(sorted, ({ rttMs, type }) => `${type}, ${rttMs} ms`)];
}
