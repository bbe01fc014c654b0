import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';

/** What one run of a tool took; of its own process alone, where it does not say otherwise. */
export interface Usage {
  /** Wall time in ms. */
  readonly ms: number;
  /** CPU time, user and system, in ms. */
  readonly cpuMs: number;
  /** Highest resident memory. */
  readonly peakRssMiB: number;
  /** Meanwhile, CPU time of all processes of the machine, servers' and the source's too, in ms. */
  readonly machineCpuMs: number;
}

/** CPU time of the machine since it was started, in ms. */
export function machineCpuMs(): number {
  return cpus().reduce(
    (sum, { times }) => sum + times.user + times.nice + times.sys + times.irq,
    0,
  );
}

/** How often a process is asked for its memory; the kernel keeps the highest. */
const LOOK_MS = 5;

/**
 * Runs a command to its end. Its times are bash's own (`time`, which every Debian has), its memory is
 * the kernel's high-water mark.
 * @throws Error with what it said, where it fails
 */
export async function runMeasured(
  command: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Usage> {
  // The command's own words go to file descriptor 3, the times to 2.
  const script = 'TIMEFORMAT="%3R %3U %3S"; time "$@" 2>&3';
  const bash = spawn('bash', ['-c', script, 'bash', ...command], {
    env,
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
  });
  const endWithUs = () => bash.kill('SIGKILL');
  process.once('exit', endWithUs);
  const cpuBefore = machineCpuMs();
  let times = '';
  let said = '';
  bash.stderr?.on('data', (text) => {
    times += text;
  });
  bash.stdio[3]?.on('data', (text) => {
    said += text;
  });
  const closed = once(bash, 'close');
  const peak = watchMemory(bash.pid ?? 0, closed);
  const [status] = await closed;
  const machineCpu = machineCpuMs() - cpuBefore;
  process.off('exit', endWithUs);
  if (status !== 0) throw new Error(`${command.slice(0, 2).join(' ')} failed.\n${said.trim()}`);
  const [seconds = Number.NaN, user = Number.NaN, system = Number.NaN] = times
    .trim()
    .split(' ')
    .map(Number);
  const [ms, cpuMs] = [seconds * 1000, (user + system) * 1000];
  if (!(ms >= 0 && cpuMs >= 0)) throw new Error(`bash told no times: ${times}`);
  return { ms, cpuMs, peakRssMiB: await peak, machineCpuMs: machineCpu };
}

/** The highest that the only child of a process needed. */
async function watchMemory(parent: number, ended: Promise<unknown>): Promise<number> {
  let running = true;
  void ended.finally(() => {
    running = false;
  });
  let kib = 0;
  while (running) {
    const children = await readFile(`/proc/${parent}/task/${parent}/children`, 'utf8').catch(
      () => '',
    );
    const [pid] = children.trim().split(' ');
    const status = pid ? await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '') : '';
    kib = Math.max(kib, Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0));
    await wait(LOOK_MS);
  }
  return kib / 1024;
}
