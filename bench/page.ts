import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { markdownTable } from '../docs/markdown-table.ts';
import { drawBudgets } from './budget-plot.ts';
import { describeBudgets } from './budget-table.ts';
import { describeCosts } from './cost.ts';
import { describeFunctionMemory } from './function-memory-table.ts';
import type { Measurement } from './measurement.ts';
import { drawRates } from './plot.ts';
import { describeProfiles } from './profile-table.ts';
import { describeRequests } from './request-table.ts';
import { type Results, results } from './results.ts';
import { betterOf, cpuSecPerGiB, limitOf, ratesOf, sizeText, toRow } from './row.ts';
import { type Spread, spreadOf } from './spread.ts';
import { describeStarts } from './start-table.ts';
import { describeTicks } from './tick-table.ts';

const ROOT = join(import.meta.dirname, '..');
const RESULTS = join(import.meta.dirname, 'results');
const PAGE = join(ROOT, 'docs/performance.md');
const NONE =
  'No results are kept yet: `npm run bench -- --out bench/results/<machine>.json` makes some.\n';

/** Every file of `bench/results`, by name. */
export function readResults(): ReadonlyMap<string, Results> {
  const files = readdirSync(RESULTS).filter((file) => file.endsWith('.json'));
  return new Map(
    files
      .sort()
      .map((file) => [
        file.replace('.json', ''),
        results.parse(JSON.parse(readFileSync(join(RESULTS, file), 'utf8'))),
      ]),
  );
}

/** `docs/performance.md` with what the results say between its marks, `<!-- results -->` and the like. */
export function fillPage(page: string, all: ReadonlyMap<string, Results>): string {
  const machines = [...all].filter(([, { measurements }]) => measurements.length > 0);
  const sections = machines.map(([name, one]) => describe(name, one));
  const of = [...all.values()];
  const requests = of.flatMap((one) => one.requests);
  const texts = {
    results: sections.length === 0 ? NONE : sections.join('\n'),
    budgets: describeBudgets(of.flatMap((one) => one.budgets)),
    profiles: describeProfiles(of.flatMap((one) => one.profiles)),
    requests: describeRequests(requests),
    ticks: describeTicks(of.flatMap((one) => one.ticks)),
    starts: describeStarts(of.flatMap((one) => one.starts)),
    functionMemory: describeFunctionMemory(of.flatMap((one) => one.functionMemory)),
    // Of one machine: the CPU times of two are no prices of one function.
    costs: describeCosts(
      of[0]?.measurements ?? [],
      requests,
      of.flatMap((one) => one.ticks),
    ),
  };
  return Object.entries(texts).reduce((filled, [mark, text]) => {
    const between = new RegExp(`(<!-- ${mark} -->\\n).*(<!-- /${mark} -->)`, 's');
    return filled.replace(between, (_, start, end) => `${start}${text}${end}`);
  }, page);
}

/** Plots by the names that the page shows them by, below `docs/`. */
export function drawPlots(all: ReadonlyMap<string, Results>): ReadonlyMap<string, string> {
  return new Map(
    [...all].flatMap(([name, { budgets, measurements }]) => [
      [plotOf(name), drawRates(measurements.toSorted(inOrder))],
      ...(budgets.length > 0
        ? [[`performance-memory-${name}.svg`, drawBudgets(budgets)] as const]
        : []),
    ]),
  );
}

/** By type, single archives first, then by round trip and size. */
function inOrder(one: Measurement, other: Measurement): number {
  return (
    one.type.localeCompare(other.type) ||
    one.archives - other.archives ||
    one.rttMs - other.rttMs ||
    one.sizeMiB - other.sizeMiB
  );
}

function plotOf(name: string): string {
  return `performance-${name}.svg`;
}

const HEAD = [
  ...['type', 'size', 'round trip', 'Ferry', 'cold', 'rclone', 'ratio', 'limit', 'share'],
  ...['CPU s/GiB (rclone)', 'peak MiB (rclone)', 'machine busy (rclone)'],
];

function describe(name: string, { at, machine, measurements, versions }: Results): string {
  const where = `${machine.cpus} × ${machine.cpu}, ${Math.round(machine.memoryMiB / 1024)} GiB`;
  const sorted = measurements.toSorted(inOrder);
  const busy = Math.max(...measurements.map(({ loadBefore }) => loadBefore));
  return [
    `### ${name}`,
    `${at.slice(0, 10)}; ${where}; Node ${versions.node}, rclone ${versions.rclone}. Load before a line at most ${busy.toFixed(1)}.`,
    '',
    `![Rates of Ferry and rclone](${plotOf(name)})`,
    '',
    markdownTable(
      HEAD,
      sorted.map((one) => cells(one, machine.cpus)),
    ),
    '',
  ].join('\n');
}

function cells(one: Measurement, cpus: number): string[] {
  const row = toRow(one);
  const by = betterOf(one);
  const rclone = one.rclone[by];
  const perGiB = cpuSecPerGiB(one, rclone);
  const peak = spreadOf(rclone.map(({ peakRssMiB }) => peakRssMiB)).median;
  return [
    ...[one.type, `${sizeText(one)}${one.storage === 'disk' ? ', disk' : ''}`, `${one.rttMs} ms`],
    withSpread(ratesOf(one, one.ferry.warm)),
    digits(ratesOf(one, one.ferry.cold).median),
    `${withSpread(ratesOf(one, rclone))}${by === 'best' ? ', flags' : ''}`,
    ...[row.ratio.toFixed(2), digits(limitOf(one)), row.limitShare.toFixed(2)],
    `${digits(row.cpuSecPerGiB)} (${digits(perGiB)})`,
    `${row.peakRssMiB} (${Math.round(peak)})`,
    `${busy(one.ferry.warm, cpus)} (${busy(rclone, cpus)})`,
  ];
}

/** How much of the machine's CPU time was used, by everything that ran. */
function busy(runs: Measurement['ferry']['warm'], cpus: number): string {
  const { median } = spreadOf(runs.map(({ machineCpuMs, ms }) => machineCpuMs / ms / cpus));
  return `${Math.round(median * 100)} %`;
}

function withSpread({ median, least, most }: Spread): string {
  return `${digits(median)} (${digits(least)}–${digits(most)})`;
}

function digits(value: number): string {
  return value >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(2)));
}

if (process.argv[1] === import.meta.filename) {
  const all = readResults();
  writeFileSync(PAGE, fillPage(readFileSync(PAGE, 'utf8'), all));
  for (const [file, svg] of drawPlots(all)) writeFileSync(join(ROOT, 'docs', file), svg);
}
