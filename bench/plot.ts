import type { Measurement } from './measurement.ts';
import { betterOf, limitOf, ratesOf, sizeText } from './row.ts';
import type { Spread } from './spread.ts';

/** All in pixels. */
const LABEL = 190;
const WIDTH = 520;
const BAR = 12;
const GROUP = 3 * BAR + 14;
const TOP = 34;
const COLOURS = { ferry: '#1f6feb', rclone: '#9a6700' } as const;

/**
 * Rates as bars, a group for each measurement: Ferry above rclone, least and most as a thin line, the
 * limit as a mark. Each group has a scale of its own, which ends at the highest that it shows.
 */
export function drawRates(measurements: readonly Measurement[]): string {
  const height = TOP + measurements.length * GROUP + 6;
  const groups = measurements.map((one, n) => drawGroup(one, TOP + n * GROUP));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${LABEL + WIDTH + 70}" height="${height}" font-family="sans-serif" font-size="11">`,
    '<title>Rates of Ferry and rclone, by type, size and round trip</title>',
    `<rect width="100%" height="100%" fill="white"/>`,
    `<text x="${LABEL}" y="18"><tspan fill="${COLOURS.ferry}">■ Ferry</tspan> <tspan fill="${COLOURS.rclone}">■ rclone</tspan> <tspan>│ limit, in MiB/s</tspan></text>`,
    ...groups.flat(),
    '</svg>',
    '',
  ].join('\n');
}

function drawGroup(one: Measurement, y: number): string[] {
  const ferry = ratesOf(one, one.ferry.warm);
  const rclone = ratesOf(one, one.rclone[betterOf(one)]);
  const limit = limitOf(one);
  const scale = WIDTH / Math.max(ferry.most, rclone.most, limit);
  const label = `${one.type}, ${sizeText(one)}, ${one.rttMs} ms`;
  const x = round(LABEL + limit * scale);
  return [
    `<text x="${LABEL - 8}" y="${y + BAR + 4}" text-anchor="end">${label}</text>`,
    ...drawBar(ferry, scale, y, COLOURS.ferry),
    ...drawBar(rclone, scale, y + BAR + 2, COLOURS.rclone),
    `<line x1="${x}" x2="${x}" y1="${y - 2}" y2="${y + 2 * BAR + 4}" stroke="black"/>`,
    `<text x="${x + 4}" y="${y + 3 * BAR}" fill="#555">${Math.round(limit)}</text>`,
  ];
}

function drawBar({ median, least, most }: Spread, scale: number, y: number, fill: string) {
  const middle = y + BAR / 2;
  const [from, to] = [round(LABEL + least * scale), round(LABEL + most * scale)];
  return [
    `<rect x="${LABEL}" y="${y}" width="${round(median * scale)}" height="${BAR}" fill="${fill}"/>`,
    `<line x1="${from}" x2="${to}" y1="${middle}" y2="${middle}" stroke="#ccc"/>`,
    `<text x="${LABEL + 4}" y="${y + BAR - 2}" fill="white">${Math.round(median)}</text>`,
  ];
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
