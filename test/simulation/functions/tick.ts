import { Temporal } from 'temporal-polyfill';
import { NO_LIMITS } from '../../../functions/core/policy.ts';
import { enqueueDue } from '../../../functions/enqueue-due/enqueue-due.ts';
import { openJobQueue } from '../../../functions/queue/job-queue.ts';
import { acceptUnseen } from '../../../functions/settings/row.ts';
import { openSettingsTable } from '../../../functions/settings/table.ts';
import type { Environment } from '../cloud/environment.ts';
import type { Deployment } from './deployment.ts';

const MINUTE_MS = 60_000;
/** How often a tick runs although nobody is due. */
const IDLE = 0.02;

/** Runs the tick once a minute for as long as `isOn` says so. */
export function tickEveryMinute(
  deployment: Deployment,
  environment: Environment,
  isOn: () => boolean,
): void {
  const { dueIndex, nature } = deployment;
  const { timeline, random } = nature;
  const tick = () => {
    timeline.after(MINUTE_MS - (timeline.now() % MINUTE_MS), tick);
    if (!isOn() || !environment.isIdle) return;
    const now = Temporal.Instant.fromEpochMilliseconds(timeline.now());
    if (!dueIndex.has(now.toString({ smallestUnit: 'second' })) && !random.chance(IDLE)) return;
    environment.invoke(
      MINUTE_MS,
      (invocation) => {
        const documents = deployment.settings.connect(invocation);
        const log = deployment.witness.logOf(invocation);
        const tools = {
          rows: openSettingsTable(
            documents,
            'settings',
            acceptUnseen,
            async () => NO_LIMITS,
            invocation.clock.now,
          ),
          queue: openJobQueue(deployment.queue.connect(invocation), 'https://queue.test'),
          spread: deployment.spread,
          metrics: { tickEnded() {} },
          log,
        };
        return enqueueDue(tools, now, invocation.clock);
      },
      () => {},
    );
  };
  timeline.after(MINUTE_MS - (timeline.now() % MINUTE_MS), tick);
}
