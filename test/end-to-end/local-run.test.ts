import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { destinationTypes } from '../../functions/destinations/registry.ts';

/** `npm start` as a person starts it: another process, that has to clean up behind itself. */
const MiB = 1024 * 1024;
const report = z.strictObject({
  deliveries: z.array(
    z.strictObject({
      user: z.string(),
      destination: z.string(),
      type: z.string(),
      archive: z.string(),
      bytes: z.number(),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
      seconds: z.number(),
      verified: z.boolean(),
    }),
  ),
  failed: z.number(),
});

/** Everything that a run leaves behind would be in here, or be a process that mentions it. */
let temporary: string;

beforeEach(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'ferry-local-run-'));
});
afterEach(() => rm(temporary, { recursive: true, force: true }));

describe('npm start', () => {
  it('delivers every archive, proves it and leaves nothing behind', {
    timeout: 240_000,
  }, async () => {
    const run = start('--json');
    const printed = text(run.stdout);
    const progress = text(run.stderr);
    const [code] = await once(run, 'close');
    const lines = (await printed).trim().split('\n');
    expect({ code, progress: await progress }).toMatchObject({ code: 0 });

    const { deliveries, failed } = report.parse(JSON.parse(lines.at(-1) ?? ''));
    expect(failed).toBe(0);
    expect(deliveries.filter(({ verified }) => !verified)).toEqual([]);
    const sizes = deliveries.map(({ bytes }) => bytes);
    expect(Math.max(...sizes)).toBeGreaterThan(200 * MiB);
    expect(Math.min(...sizes)).toBeLessThan(1024);
    const types = destinationTypes.map(({ type }) => type);
    expect(new Set(deliveries.map(({ type }) => type))).toEqual(new Set(types));
    const users = Map.groupBy(deliveries, ({ user }) => user);
    expect(users.size).toBeGreaterThanOrEqual(4);
    const places = [...users.values()].map((of) => new Set(of.map((d) => d.destination)).size);
    expect(Math.max(...places)).toBeGreaterThan(1);

    await expectNothingLeft();
  });

  it.each([
    ['while it starts', /Synthesising/],
    ['while archives are on their way', /Staged|delivered/],
  ])('Ctrl-C %s ends all of it', { timeout: 240_000 }, async (_, moment) => {
    const run = start();
    await untilPrinted(run, moment);
    await new Promise((resolve) => setTimeout(resolve, 700));
    interrupt(run);
    const [code, signal] = await once(run, 'close');
    expect(signal === 'SIGINT' || code !== 0).toBe(true);
    await expectNothingLeft();
  });

  it('says which option it does not know', async () => {
    const run = start('--jsn');
    const complaint = text(run.stderr);
    const [code] = await once(run, 'close');
    expect(code).not.toBe(0);
    expect(await complaint).toContain("'--jsn'");
  });
});

function start(...options: string[]) {
  return spawn('npm', ['start', '--', ...options], {
    cwd: join(import.meta.dirname, '../..'),
    env: { ...process.env, TMPDIR: temporary },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own, as a terminal gives to what it runs.
    detached: true,
  });
}

/** Ctrl-C goes to every process of the group. */
function interrupt(run: ChildProcess): void {
  if (run.pid === undefined) throw new Error('The run did not start.');
  process.kill(-run.pid, 'SIGINT');
}

async function untilPrinted(run: ReturnType<typeof start>, moment: RegExp): Promise<void> {
  let printed = '';
  for await (const chunk of run.stdout.iterator({ destroyOnReturn: false })) {
    printed += chunk;
    if (moment.test(printed)) break;
  }
  expect(printed).toMatch(moment);
  run.stdout.resume();
}

async function expectNothingLeft(): Promise<void> {
  await vi.waitFor(async () => expect(await processesOf(temporary)).toEqual([]), 60_000);
  expect((await readdir(temporary)).filter((name) => name.startsWith('ferry-'))).toEqual([]);
}

/** Command lines of the processes that know of this folder, by argument or by environment. */
async function processesOf(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue;
    const [command, environment] = await Promise.all(
      ['cmdline', 'environ'].map((file) =>
        readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => ''),
      ),
    );
    if (`${command}${environment}`.includes(folder))
      found.push(command?.replaceAll('\0', ' ') ?? '');
  }
  return found;
}
