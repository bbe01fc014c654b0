import { describe, expect, it } from 'vitest';
import type { Measurement } from '../../bench/measurement.ts';
import { addResults, type Results } from '../../bench/results.ts';
import { betterOf, limitOf, sizeText, toRow } from '../../bench/row.ts';
import { spreadOf } from '../../bench/spread.ts';

const usages = (...times: readonly number[]) =>
  times.map((ms) => ({ ms, cpuMs: ms / 2, peakRssMiB: 100, machineCpuMs: ms }));

const measured: Measurement = {
  type: 'ssh',
  server: 'OpenSSH',
  sizeMiB: 64,
  archives: 1,
  rttMs: 30,
  storage: 'memory',
  loadBefore: 0,
  ferry: { warm: usages(1000, 500, 4000), cold: usages(2000), startMs: [300] },
  rclone: { defaults: usages(2000, 2000, 9000), best: usages(1600, 400, 9000), bestFlags: [] },
  limit: { pushMiB: 64, pushMs: [250, 250, 900], sourceMiB: 64, sourceMs: [640, 640, 10] },
};

describe('what a measurement comes to', () => {
  it('is Ferry warm against the better way of rclone, by medians', () => {
    expect(betterOf(measured)).toBe('best');
    expect(toRow(measured)).toEqual({
      type: 'ssh',
      sizeMiB: 64,
      rttMs: 30,
      ferryMiBs: 64,
      rcloneMiBs: 40,
      ratio: 1.6,
      limitShare: 0.64,
      cpuSecPerGiB: 8,
      peakRssMiB: 100,
    });
  });

  it('is of all archives of a run together', () => {
    const row = toRow({ ...measured, archives: 10 });
    expect(row).toMatchObject({ sizeMiB: 64, archives: 10, ferryMiBs: 640, cpuSecPerGiB: 0.8 });
    expect(sizeText({ archives: 1000, sizeMiB: 1 })).toBe('1000 × 1 MiB');
    expect(sizeText({ archives: 1, sizeMiB: 8192 })).toBe('8 GiB');
  });

  it('is held against whichever limit is lower', () => {
    expect(limitOf(measured)).toBe(100);
    expect(limitOf({ ...measured, limit: { ...measured.limit, pushMs: [6400] } })).toBe(10);
  });

  it('takes the defaults where flags make it worse', () => {
    expect(betterOf({ ...measured, rclone: { ...measured.rclone, best: usages(5000) } })).toBe(
      'defaults',
    );
  });

  it('is nothing where a time is missing or is none', () => {
    const without = (warm: Measurement['ferry']['warm']) =>
      toRow({ ...measured, ferry: { ...measured.ferry, warm } });
    expect(() => without([])).toThrow(RangeError);
    expect(() => without(usages(0))).toThrow();
    expect(() => without(usages(Number.NaN))).toThrow();
  });

  it('is the middle of an even number of runs', () => {
    expect(spreadOf([4, 1, 3, 2])).toEqual({ median: 2.5, least: 1, most: 4 });
  });
});

it('results of a file are added to, and what is measured again is replaced', () => {
  const results = (...measurements: Measurement[]): Results => ({
    v: 1,
    at: '2026-11-25T00:00:00.000Z',
    machine: { cpu: 'Processor', cpus: 2, memoryMiB: 4096 },
    versions: { node: 'v24.0.0', rclone: 'v1.60.1' },
    measurements,
    budgets: [],
    profiles: [],
    requests: [],
    ticks: [],
    starts: [],
    functionMemory: [],
  });
  const far = { ...measured, rttMs: 80 };
  const again = { ...measured, loadBefore: 1 };
  expect(addResults(results(measured, far), results(again)).measurements).toEqual([far, again]);
  const elsewhere = { ...results(again), versions: { node: 'v26.0.0', rclone: 'v1.60.1' } };
  expect(() => addResults(results(measured), elsewhere)).toThrow(/another machine/);
});
