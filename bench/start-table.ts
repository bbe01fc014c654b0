import { markdownTable } from '../docs/markdown-table.ts';
import type { FunctionStart } from './function-start.ts';
import { spreadOf } from './spread.ts';

const HEAD = ['function', 'bundle, KiB', 'import, ms', 'CPU ms', 'MiB', 'MiB without it'];

/** How functions start, a line each, as Markdown. */
export function describeStarts(starts: readonly FunctionStart[]): string {
  if (starts.length === 0) return '';
  return `${markdownTable(HEAD, starts.map(cells))}\n`;
}

function cells(start: FunctionStart): string[] {
  const { least, median, most } = spreadOf(start.importMs);
  const middle = (values: readonly number[]) => spreadOf(values).median.toFixed(0);
  return [
    ...[start.name, (start.bundleBytes / 1024).toFixed(0)],
    `${median.toFixed(0)} (${least.toFixed(0)}–${most.toFixed(0)})`,
    ...[start.importCpuMs, start.rssMiB, start.emptyRssMiB].map(middle),
  ];
}
