import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { MOST_RATIO, runHops } from '../crash/hops.ts';

let scratch: string;
const lines: string[] = [];

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'ferry-hops-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

/** As many as there is time for here; `npm run hops` takes thirty and more, to every server. */
const HOPS = 5;

it('one archive takes many invocations to Azurite, and no byte goes twice', async () => {
  const say = (line: string) => void lines.push(line);
  const [row, ...others] = await runHops({ names: ['azure'], scratch, say, hops: HOPS });
  expect(others).toEqual([]);
  expect(row?.failures, lines.join('\n')).toEqual([]);
  expect(row?.hops).toBeGreaterThanOrEqual(HOPS);
  expect(row?.bytesRatio).toBeLessThan(MOST_RATIO);
}, 480_000);
