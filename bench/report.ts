import { columns } from '../test/crash/report.ts';
import type { Measurement } from './measurement.ts';
import { betterOf, cpuSecPerGiB, limitOf, ratesOf, sizeText, toRow } from './row.ts';
import { type Spread, spreadOf } from './spread.ts';

const HEAD = [
  ...['type', 'size', 'rtt', 'Ferry', '(spread)', 'cold', 'rclone', '(spread)', 'by', 'ratio'],
  ...['limit', 'share', 'CPU s/GiB', 'rclone', 'peak MiB', 'rclone'],
];

/** One line a measurement; rates in MiB/s. */
export function formatTable(measurements: readonly Measurement[]): string {
  return columns([HEAD, ...measurements.map(cells)]);
}

function cells(one: Measurement): string[] {
  const row = toRow(one);
  const rclone = one.rclone[betterOf(one)];
  const perGiB = cpuSecPerGiB(one, rclone);
  const peak = spreadOf(rclone.map(({ peakRssMiB }) => peakRssMiB)).median;
  return [
    ...[one.type, sizeText(one), `${one.rttMs} ms`],
    ...[digits(row.ferryMiBs), between(ratesOf(one, one.ferry.warm))],
    digits(ratesOf(one, one.ferry.cold).median),
    ...[digits(row.rcloneMiBs), between(ratesOf(one, rclone)), betterOf(one)],
    ...[digits(row.ratio), digits(limitOf(one)), digits(row.limitShare)],
    ...[digits(row.cpuSecPerGiB), digits(perGiB), `${row.peakRssMiB}`, `${Math.round(peak)}`],
  ];
}

function between({ least, most }: Spread): string {
  return `${digits(least)}–${digits(most)}`;
}

function digits(value: number): string {
  return value >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(2)));
}
