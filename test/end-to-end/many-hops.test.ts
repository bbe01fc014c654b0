import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LEAST_HOPS, MOST_RATIO, runHops } from '../crash/hops.ts';

let scratch: string;
const lines: string[] = [];

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'ferry-hops-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

it('one archive takes thirty invocations and more to Swift, and no byte goes twice', async () => {
  const say = (line: string) => void lines.push(line);
  const [row, ...others] = await runHops({ names: ['s3'], scratch, say });
  expect(others).toEqual([]);
  expect(row?.failures, lines.join('\n')).toEqual([]);
  expect(row?.hops).toBeGreaterThanOrEqual(LEAST_HOPS);
  expect(row?.bytesRatio).toBeLessThan(MOST_RATIO);
}, 300_000);
