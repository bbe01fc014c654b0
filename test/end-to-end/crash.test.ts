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

it('archives reach OpenSSH whole and once while everything goes wrong', async () => {
  const say = (line: string) => void lines.push(line);
  const [result, ...others] = await runCrash({ types: ['ssh'], rounds: 1, seed: 7, scratch, say });
  expect(others).toEqual([]);
  const [calm, everything] = result?.rounds ?? [];
  expect([calm?.failures, everything?.failures], lines.join('\n')).toEqual([[], []]);
  expect(everything).toMatchObject({ restarts: 1, cuts: 2 });
  expect(result && toRow(result)).toMatchObject({ type: 'ssh', rounds: 2, failures: 0 });
}, 480_000);
