import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runCrash } from '../crash/crash.ts';
import { toRow } from '../crash/report.ts';

let scratch: string;
const lines: string[] = [];

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'ferry-crash-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

it('archives reach OpenSSH and Azurite whole and once while everything goes wrong', async () => {
  const results = await runCrash({
    types: ['ssh', 'azure'],
    rounds: 1,
    seed: 7,
    scratch,
    say: (line) => void lines.push(line),
  });
  for (const { rounds } of results) {
    expect(
      rounds.flatMap(({ failures }) => failures),
      lines.join('\n'),
    ).toEqual([]);
    expect(rounds).toHaveLength(2);
    const [calm, everything] = rounds;
    // Without trouble every byte goes once, over several hops.
    expect(calm?.hops).toBeGreaterThan(1);
    expect(everything).toMatchObject({ restarts: 1, cuts: 2 });
  }
  const rows = results.map(toRow);
  expect(rows.map(({ type }) => type)).toEqual(['ssh', 'azure']);
  expect(rows.reduce((sum, { kills }) => sum + kills, 0)).toBeGreaterThan(0);
}, 480_000);
