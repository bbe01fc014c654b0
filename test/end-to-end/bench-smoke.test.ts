import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { row } from '../../bench/row.ts';
import { PROJECT } from '../../local/cloud-assembly.ts';

const run = promisify(execFile);
const TYPES = ['ssh', 'webdav', 's3', 'azure', 'dropbox'];

/** Looks at what is told, never at a time: that is another machine's, and another hour's. */
it('the benchmark measures every type', async () => {
  const line = ['--size', '1MiB', '--runs', '1', '--json'];
  const { stdout } = await run(process.execPath, ['bench/main.ts', ...line], { cwd: PROJECT });
  const last = stdout.trimEnd().split('\n').at(-1) ?? '';
  const { rows } = z.strictObject({ rows: z.array(row) }).parse(JSON.parse(last));
  const measured = rows.map(({ type, sizeMiB, rttMs }) => ({ type, sizeMiB, rttMs }));
  expect(measured).toEqual(TYPES.map((type) => ({ type, sizeMiB: 1, rttMs: 0 })));
  for (const { cpuSecPerGiB, ferryMiBs, ratio, rcloneMiBs } of rows) {
    // A tool that has measured nothing is infinitely fast, or uses no time.
    expect(ratio).toBeCloseTo(ferryMiBs / rcloneMiBs, 1);
    expect(cpuSecPerGiB).toBeGreaterThan(0);
  }
}, 180_000);
