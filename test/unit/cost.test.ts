import { describe, expect, it } from 'vitest';
import { describeCosts, usdPerRun, usdPerTiB } from '../../bench/cost.ts';

describe('what a TiB costs', () => {
  it('is the time that the line needs, where that is longer', () => {
    // 1024 s/GiB at 1 MiB/s, 1,048,576 s for a TiB, of 1 GB each; 131,072 reads.
    expect(usdPerTiB(2, 1024, 1)).toBeCloseTo(1_048_576 * 0.0000133334 + 0.0524, 2);
  });

  it('is the time that the CPU needs, where memory gives little of it', () => {
    // A quarter of a vCPU needs 8 s for each GiB.
    expect(usdPerTiB(2, 1769 / 4, 1000)).toBeCloseTo(
      8192 * (1769 / 4096) * 0.0000133334 + 0.0524,
      3,
    );
  });

  it('does not fall below one vCPU', () => {
    expect(usdPerTiB(2, 2 * 1769, 1000) - 0.0524).toBeCloseTo(
      2 * (usdPerTiB(2, 1769, 1000) - 0.0524),
      3,
    );
  });
});

it('a run without bytes costs hundredths of a cent', () => {
  expect(usdPerRun()).toBeGreaterThan(0.000005);
  expect(usdPerRun()).toBeLessThan(0.0001);
});

it('the page has no line for what was not measured', () => {
  expect(describeCosts([])).not.toMatch(/NaN|Infinity/);
});
