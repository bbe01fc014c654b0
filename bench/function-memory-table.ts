import { markdownTable } from '../docs/markdown-table.ts';
import { type FunctionMemory, usdOfSeconds } from './function-memory.ts';
import { spreadOf } from './spread.ts';
import { rateOf } from './warm-deliveries.ts';

const MIB_PER_TIB = 1024 ** 2;

/** Rate and price of Lambda's time by memory of the function, a line for each type, as Markdown. */
export function describeFunctionMemory(measured: readonly FunctionMemory[]): string {
  if (measured.length === 0) return '';
  const memories = [...new Set(measured.map(({ memoryMb }) => memoryMb))].sort((a, b) => a - b);
  const types = [...new Set(measured.map(({ type }) => type))].sort();
  const lines = types.map((type) => [
    type,
    ...memories.map((memoryMb) => {
      const one = measured.find((of) => of.type === type && of.memoryMb === memoryMb);
      return one ? cell(one) : '';
    }),
  ]);
  const head = ['MiB/s (USD for one TiB; peak MiB)', ...memories.map((mb) => `${mb} MB`)];
  return `${markdownTable(head, lines)}\n`;
}

function cell(one: FunctionMemory): string {
  const rate = rateOf(one);
  const usd = usdOfSeconds(MIB_PER_TIB / rate, one.memoryMb);
  return `${rate.toFixed(0)} (${usd.toFixed(2)}; ${spreadOf(one.peakRssMiB).median.toFixed(0)})`;
}
