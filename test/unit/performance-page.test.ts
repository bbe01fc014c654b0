import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { drawPlots, fillPage, readResults } from '../../bench/page.ts';
import type { Results } from '../../bench/results.ts';

const docs = new URL('../../docs/', import.meta.url);
const page = readFileSync(new URL('performance.md', docs), 'utf8');
const usage = { ms: 500, cpuMs: 250, peakRssMiB: 100, machineCpuMs: 750 };

const sample: Results = {
  v: 1,
  at: '2026-11-25T00:00:00.000Z',
  machine: { cpu: 'Processor', cpus: 2, memoryMiB: 4096 },
  versions: { node: 'v24.0.0', rclone: 'v1.60.1' },
  requests: [],
  budgets: [],
  profiles: [],
  ticks: [],
  starts: [],
  functionMemory: [],
  measurements: [
    {
      ...{ type: 'ssh', server: 'OpenSSH', sizeMiB: 64, archives: 1, rttMs: 30 },
      ...{ storage: 'memory', loadBefore: 0.5 },
      ferry: { warm: [usage, { ...usage, ms: 1000 }, usage], cold: [usage], startMs: [300] },
      rclone: { defaults: [{ ...usage, ms: 1000 }], best: [{ ...usage, ms: 640 }], bestFlags: [] },
      limit: { pushMiB: 64, pushMs: [250], sourceMiB: 64, sourceMs: [100] },
    },
  ],
};

describe('docs/performance.md', () => {
  it('shows what is in bench/results: node bench/page.ts', () => {
    const all = readResults();
    expect(page).toBe(fillPage(page, all));
    for (const [file, svg] of drawPlots(all)) {
      expect(readFileSync(new URL(file, docs), 'utf8')).toBe(svg);
    }
  });

  it('has a line a measurement, and can be filled again', () => {
    const all = new Map([['somewhere', sample]]);
    const filled = fillPage(page, all);
    expect(filled).toContain(
      '| ssh | 64 MiB | 30 ms | 128 (64–128) | 128 | 100 (100–100), flags | 1.28 | 256 | 0.50 | 4 (4) | 100 (100) | 75 % (59 %) |',
    );
    expect(fillPage(filled, all)).toBe(filled);
    expect(fillPage(filled, new Map())).toBe(fillPage(page, new Map()));
  });

  it('has a plot with a bar for each tool', () => {
    const svg = drawPlots(new Map([['somewhere', sample]])).get('performance-somewhere.svg') ?? '';
    expect(svg.match(/<rect x=/g)).toHaveLength(2);
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  });
});
