import middy from '@middy/core';
import { Temporal } from 'temporal-polyfill';
import * as z from 'zod';
import { systemClock } from '../core/clock.ts';
import { connectDynamoDb, connectSqs } from '../platform/clients.ts';
import { enqueueDueEnvironment, readEnvironment } from '../platform/environment.ts';
import { openJudgedRows } from '../platform/judged-rows.ts';
import { logInvocations, openLog } from '../platform/logging.ts';
import { openEnqueueMetrics } from '../platform/metrics.ts';
import { openJobQueue } from '../queue/job-queue.ts';
import { acceptUnseen } from '../settings/row.ts';
import { enqueueDue } from './enqueue-due.ts';
import type { EnqueueTools } from './enqueue-page.ts';

const SERVICE = 'enqueue-due';
const environment = readEnvironment(enqueueDueEnvironment);
const log = openLog(SERVICE);
const documents = connectDynamoDb();
const { policies, rows } = openJudgedRows(documents, environment, SERVICE, log, acceptUnseen);
const tools: Omit<EnqueueTools, 'spread'> = {
  rows,
  queue: openJobQueue(connectSqs(), environment.JOBS_QUEUE_URL),
  metrics: openEnqueueMetrics(SERVICE),
  log,
};

/** What the schedule sends. */
const tickEvent = z.strictObject({ scheduledTime: z.iso.datetime() });

/** The tick: once a minute, by EventBridge Scheduler. */
export const handler = middy<unknown, void>()
  .use(logInvocations(log))
  .handler(async (event, context) => {
    const { scheduledTime } = tickEvent.parse(event);
    const clock = systemClock(() => context.getRemainingTimeInMillis());
    const { windowMinutes: minutes = environment.SPREAD_MINUTES } = await policies.read();
    const spread = { minutes, shards: environment.DUE_SHARDS };
    await enqueueDue({ ...tools, spread }, Temporal.Instant.from(scheduledTime), clock);
  });
