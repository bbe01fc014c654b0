import { NO_LIMITS } from '../../../functions/core/policy.ts';
import { openJobQueue } from '../../../functions/queue/job-queue.ts';
import { openRunsTable } from '../../../functions/runs/runs-table.ts';
import { openSweepIndex } from '../../../functions/runs/sweep-index.ts';
import { acceptUnseen } from '../../../functions/settings/row.ts';
import { openSettingsTable } from '../../../functions/settings/table.ts';
import { sweepJobs } from '../../../functions/sweep/sweep.ts';
import type { Environment } from '../cloud/environment.ts';
import type { Deployment } from './deployment.ts';

// As infra/sweep.ts has it.
const EVERY_MS = 5 * 60_000;
const TIMEOUT_MS = 2 * 60_000;
/** How often a sweep runs although nothing can be overdue. */
const IDLE = 0.02;

/** Runs the sweep every five minutes. */
export function sweepNowAndThen(deployment: Deployment, environment: Environment): void {
  const { nature, runs, settings, sweepIndex, witness } = deployment;
  const { timeline, random } = nature;
  const sweep = () => {
    timeline.after(EVERY_MS, sweep);
    const now = new Date(timeline.now()).toISOString();
    if (!environment.isIdle || !(sweepIndex.has(now) || random.chance(IDLE))) return;
    environment.invoke(
      TIMEOUT_MS,
      (invocation) => {
        const { clock, name } = invocation;
        const documents = runs.connect(invocation);
        const rows = openSettingsTable(
          settings.connect(invocation),
          'settings',
          acceptUnseen,
          async () => NO_LIMITS,
        );
        const tools = {
          runs: {
            ...openRunsTable(documents, 'runs', clock.now),
            ...openSweepIndex(documents, 'runs'),
          },
          queue: openJobQueue(deployment.queue.connect(invocation), 'https://queue.test'),
          report: rows.recordRun,
          raise: async () => {},
          metrics: { sweepEnded() {} },
          log: witness.logOf(invocation),
        };
        return sweepJobs(tools, name, clock);
      },
      () => {},
    );
  };
  timeline.after(random.between(0, EVERY_MS), sweep);
}
