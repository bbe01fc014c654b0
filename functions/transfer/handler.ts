import middy from '@middy/core';
import { systemClock } from '../core/clock.ts';
import { jobId } from '../core/job.ts';
import { MiB } from '../core/parts.ts';
import { sha256 } from '../digest/sha256.ts';
import { connectDynamoDb, connectSqs, connectStaging } from '../platform/clients.ts';
import { readEnvironment, transferEnvironment } from '../platform/environment.ts';
import { openRaise } from '../platform/events.ts';
import { logInvocations, openLog } from '../platform/logging.ts';
import { openTransferMetrics } from '../platform/metrics.ts';
import { openSurroundings } from '../platform/surroundings.ts';
import { openUserRows } from '../platform/user-rows.ts';
import { openJobQueue } from '../queue/job-queue.ts';
import { readMessage } from '../queue/message.ts';
import { readSqsEvent } from '../queue/sqs-event.ts';
import { openRunsTable } from '../runs/runs-table.ts';
import { openStaging } from '../source/staging.ts';
import { answerMessages, type BatchAnswer, type MessageTools } from './answer-messages.ts';
import { openBuffers } from './buffers.ts';
import { readJobSettings } from './job-settings.ts';
import { runJob } from './run-job.ts';

const SERVICE = 'transfer';
const environment = readEnvironment(transferEnvironment);
const log = openLog(SERVICE);
const documents = connectDynamoDb();
const { policies, rows } = openUserRows(documents, environment, SERVICE, log);
const queue = openJobQueue(connectSqs(), environment.JOBS_QUEUE_URL);
const source = openStaging(connectStaging(), environment.STAGING_BUCKET);
const surroundings = openSurroundings(source, documents, policies.read, environment);
const runs = openRunsTable(documents, environment.RUNS_TABLE);
const services = {
  settings: readJobSettings(rows, runs, surroundings, policies.read),
  source,
  runs,
  hashing: sha256,
  buffers: openBuffers(environment.IN_FLIGHT_MIB * MiB),
  metrics: openTransferMetrics(SERVICE),
  log,
  sendContinuation: queue.sendContinuation,
  report: rows.recordRun,
  raise: openRaise(log),
};

/** Carries out the jobs of the queue, one at a time. */
export const handler = middy<unknown, BatchAnswer>()
  .use(logInvocations(log))
  .handler((event, context) => {
    const clock = systemClock(() => context.getRemainingTimeInMillis());
    const { MAX_RECEIVE_COUNT: maxReceiveCount } = environment;
    const runMessage: MessageTools['runJob'] = (job, { messageId, receiveCount }) => {
      log.appendKeys({ jobId: jobId(job), userId: job.userId, destination: job.destination });
      const owner = `${context.awsRequestId}#${messageId}`;
      return runJob(services, job, { owner, receiveCount, maxReceiveCount, clock });
    };
    const queueTools = { readMessage, delay: queue.delay, clock, log, runJob: runMessage };
    return answerMessages(queueTools, readSqsEvent(event));
  });
