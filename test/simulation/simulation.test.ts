import { spawn } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { plants } from './plants/plants.ts';

const MAIN = new URL('main.ts', import.meta.url).pathname;
/** Bugs are looked for by so many processes at once. */
const AT_ONCE = 2;
/** A bug that no world of these shows is not found. */
const MOST_SEEDS = 2_000;

const totals = z.object({
  seeds: z.number(),
  violations: z.number(),
  crashes: z.number(),
  faults: z.number(),
  hops: z.number(),
});

/** Runs `npm run simulate` with these arguments. */
async function simulate(...args: readonly string[]) {
  const child = spawn(process.execPath, [MAIN, ...args, '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  const status = await new Promise<number | null>((resolve) => child.on('close', resolve));
  const last = output.trimEnd().split('\n').at(-1) ?? '';
  return { status, output, errors, last };
}

describe('the simulation', () => {
  it('finds nothing violated in two hundred worlds full of trouble', async () => {
    const { status, output, last } = await simulate('--seeds', '200');
    const { seeds, violations, crashes, faults, hops } = totals.parse(JSON.parse(last));
    expect(output).not.toContain('does not hold');
    expect({ status, seeds, violations }).toEqual({ status: 0, seeds: 200, violations: 0 });
    expect(Math.min(crashes, hops)).toBeGreaterThan(100);
    expect(faults).toBeGreaterThan(5_000);
  });

  it('has the same history whenever it is given the same seed', async () => {
    const once = await simulate('--seeds', '1', '--seed', '7', '--trace');
    const again = await simulate('--seeds', '1', '--seed', '7', '--trace');
    expect(once.output).toMatch(/Fingerprint \d+:[0-9a-f]+ after \d+ events/);
    expect(again.output).toBe(once.output);
    const other = await simulate('--seeds', '1', '--seed', '8', '--trace');
    expect(other.output).not.toBe(once.output);
  });

  it.each([
    [['--seeds', 'many'], '--seeds is a whole number'],
    [['--plant', 'nothing'], 'There is no bug "nothing"'],
    [['--trace', '--seeds', '2'], '--trace shows one seed'],
  ])('refuses %j', async (args, reason) => {
    const { status, errors } = await simulate(...args);
    expect(status).toBe(2);
    expect(errors).toContain(reason);
  });
});

describe('a planted bug', () => {
  it.concurrent.each(plants.map(({ name, seed = 1, what }) => [name, what, seed] as const))(
    '%s is found: %s',
    async (name, _, seed) => {
      const { status, output, last } = await turn(() =>
        simulate('--seed', String(seed), '--seeds', String(MOST_SEEDS), '--plant', name),
      );
      expect(output).toContain('does not hold');
      expect(output).not.toContain('"the simulation works"');
      expect(status).toBe(1);
      expect(totals.parse(JSON.parse(last)).violations).toBeGreaterThan(0);
    },
  );

  let free = AT_ONCE;
  const waiting: (() => void)[] = [];
  async function turn<T>(work: () => Promise<T>): Promise<T> {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    }
  }
});
