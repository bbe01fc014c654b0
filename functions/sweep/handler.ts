import middy from '@middy/core';
import { systemClock } from '../core/clock.ts';
import { NO_LIMITS } from '../core/policy.ts';
import { connectDynamoDb, connectSqs } from '../platform/clients.ts';
import { readEnvironment, sweepEnvironment } from '../platform/environment.ts';
import { openRaise } from '../platform/events.ts';
import { logInvocations, openLog } from '../platform/logging.ts';
import { openSweepMetrics } from '../platform/metrics.ts';
import { openJobQueue } from '../queue/job-queue.ts';
import { openRunsTable } from '../runs/runs-table.ts';
import { openSweepIndex } from '../runs/sweep-index.ts';
import { acceptUnseen } from '../settings/row.ts';
import { openSettingsTable } from '../settings/table.ts';
import type { SweepTools } from './ports.ts';
import { sweepJobs } from './sweep.ts';

const SERVICE = 'sweep';
const environment = readEnvironment(sweepEnvironment);
const log = openLog(SERVICE);
const documents = connectDynamoDb();
const tools: SweepTools = {
  runs: {
    ...openRunsTable(documents, environment.RUNS_TABLE),
    ...openSweepIndex(documents, environment.RUNS_TABLE),
  },
  queue: openJobQueue(connectSqs(), environment.JOBS_QUEUE_URL),
  report: openSettingsTable(
    documents,
    environment.SETTINGS_TABLE,
    acceptUnseen,
    async () => NO_LIMITS,
  ).recordRun,
  raise: openRaise(log),
  metrics: openSweepMetrics(SERVICE),
  log,
};

/** The sweep: every few minutes, by EventBridge Scheduler; its event says nothing that counts. */
export const handler = middy<unknown, void>()
  .use(logInvocations(log))
  .handler(async (_event, context) => {
    const clock = systemClock(() => context.getRemainingTimeInMillis());
    await sweepJobs(tools, context.awsRequestId, clock);
  });
