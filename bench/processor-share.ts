import { existsSync } from 'node:fs';
import { mkdir, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const ROOT = '/sys/fs/cgroup';
/** Microseconds in which a share is given out; Linux's own default. */
const PERIOD = 100_000;

/** A control group of Linux, which processes join and leave by ending. */
export interface ProcessorShare extends AsyncDisposable {
  /** Where a process writes its id to join. */
  readonly members: string;
}

/**
 * Makes a group whose processes together get so much of a processor, as Lambda gives it out: they run
 * until it is used up and wait for the next period
 * (docs.kernel.org/scheduler/sched-bwc.html, docs.kernel.org/admin-guide/cgroup-v2.html).
 * @throws Error where this process may not; root may
 */
export async function shareProcessor(vcpus: number): Promise<ProcessorShare> {
  const unified = existsSync(join(ROOT, 'cgroup.controllers'));
  const folder = join(unified ? ROOT : join(ROOT, 'cpu'), `ferry-bench-${process.pid}`);
  const quota = Math.round(vcpus * PERIOD);
  if (unified) await writeFile(join(ROOT, 'cgroup.subtree_control'), '+cpu');
  await mkdir(folder, { recursive: true });
  if (unified) await writeFile(join(folder, 'cpu.max'), `${quota} ${PERIOD}`);
  else {
    await writeFile(join(folder, 'cpu.cfs_period_us'), `${PERIOD}`);
    await writeFile(join(folder, 'cpu.cfs_quota_us'), `${quota}`);
  }
  return {
    members: join(folder, 'cgroup.procs'),
    [Symbol.asyncDispose]: () => rmdir(folder),
  };
}
