import type { Budget } from './budget.ts';
import { linesOf } from './budget-table.ts';
import { rateOf } from './warm-deliveries.ts';

/** All in pixels. */
const WIDTH = 200;
const HEIGHT = 110;
const GAP = 44;
const TOP = 34;
const NEAR = '#1f6feb';
const FAR = '#9a6700';

/** Rates over the memory for parts, a small plot for each type, near by and far away. */
export function drawBudgets(budgets: readonly Budget[]): string {
  const types = [...new Set(budgets.map(({ type }) => type))].sort();
  const rtts = [...new Set(budgets.map(({ rttMs }) => rttMs))].sort((a, b) => a - b);
  const legend = rtts.map(
    (rtt, at) => `<tspan fill="${at === 0 ? NEAR : FAR}">— ${rtt} ms </tspan>`,
  );
  const plots = types.map((type, at) => {
    const own = budgets.filter((one) => one.type === type);
    return drawType(type, own, GAP + at * (WIDTH + GAP));
  });
  const width = GAP + types.length * (WIDTH + GAP);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${TOP + HEIGHT + 40}" font-family="sans-serif" font-size="11">`,
    '<title>Rates by the memory for parts under way</title>',
    '<rect width="100%" height="100%" fill="white"/>',
    `<text x="${GAP}" y="16">MiB/s by MiB for parts under way: ${legend.join('')}</text>`,
    ...plots.flat(),
    '</svg>',
    '',
  ].join('\n');
}

function drawType(type: string, budgets: readonly Budget[], left: number): string[] {
  const sizes = [...new Set(budgets.map(({ inFlightMiB }) => inFlightMiB))].sort((a, b) => a - b);
  const most = Math.max(...budgets.map(rateOf));
  const bottom = TOP + HEIGHT;
  const xOf = (size: number) =>
    Math.round(left + (sizes.indexOf(size) * WIDTH) / Math.max(1, sizes.length - 1));
  const lines = linesOf(budgets).map(([, ofLine], at) => {
    const points = ofLine.map(
      (one) =>
        `${xOf(one.inFlightMiB)},${Math.round(bottom - (rateOf(one) / most) * (HEIGHT - 16))}`,
    );
    return `<polyline points="${points.join(' ')}" fill="none" stroke="${at === 0 ? NEAR : FAR}" stroke-width="2"/>`;
  });
  return [
    `<text x="${left}" y="${TOP + 4}">${type}, up to ${Math.round(most)}</text>`,
    `<line x1="${left}" x2="${left + WIDTH}" y1="${bottom}" y2="${bottom}" stroke="#ccc"/>`,
    ...sizes.map(
      (size) =>
        `<text x="${xOf(size)}" y="${bottom + 14}" text-anchor="middle" fill="#555">${size}</text>`,
    ),
    ...lines,
  ];
}
