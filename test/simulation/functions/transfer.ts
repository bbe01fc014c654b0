import { jobId } from '../../../functions/core/job.ts';
import { NO_LIMITS } from '../../../functions/core/policy.ts';
import { openJobQueue } from '../../../functions/queue/job-queue.ts';
import { readMessage } from '../../../functions/queue/message.ts';
import { openRunsTable } from '../../../functions/runs/runs-table.ts';
import { openUnsealer } from '../../../functions/secrets/sealing.ts';
import { openSettingsTable } from '../../../functions/settings/table.ts';
import { openStaging } from '../../../functions/source/staging.ts';
import {
  answerMessages,
  type BatchAnswer,
  type MessageTools,
} from '../../../functions/transfer/answer-messages.ts';
import { openBuffers } from '../../../functions/transfer/buffers.ts';
import { readJobSettings } from '../../../functions/transfer/job-settings.ts';
import { runJob } from '../../../functions/transfer/run-job.ts';
import type { Invocation } from '../cloud/environment.ts';
import type { Received } from '../cloud/job-queue.ts';
import { watchDestination } from '../invariants/watched-destination.ts';
import { type Deployment, placeOf } from './deployment.ts';
import { parseSimulated } from './settings.ts';

/** One invocation of the transfer function, joined as its handler joins it. */
export function transfer(
  deployment: Deployment,
  invocation: Invocation,
  message: Received,
): Promise<BatchAnswer> {
  const { inFlight, maxReceiveCount, witness } = deployment;
  const { clock } = invocation;
  const rows = openSettingsTable(
    deployment.settings.connect(invocation),
    'settings',
    parseSimulated,
    async () => NO_LIMITS,
    clock.now,
  );
  const queue = openJobQueue(deployment.queue.connect(invocation), 'https://queue.test');
  const log = witness.logOf(invocation);
  const { unseal } = openUnsealer(deployment.keys.connect(invocation));
  const runs = openRunsTable(deployment.runs.connect(invocation), 'runs', clock.now);
  const settings = readJobSettings(
    rows,
    runs,
    (job) => ({
      unseal: (name, sealed) => unseal(job, name, sealed),
      invocation,
      server: deployment.servers.get(placeOf(job)),
    }),
    async () => NO_LIMITS,
  );
  const tools = {
    settings: watchDestination(settings, deployment, invocation),
    source: openStaging(deployment.staging.connect(invocation), 'staging', clock),
    runs,
    hashing: deployment.hashing,
    buffers: openBuffers(inFlight),
    raise: async () => {},
    metrics: { runEnded() {}, archiveDelivered() {} },
    log,
    sendContinuation: queue.sendContinuation,
    report: rows.recordRun,
  };
  const runMessage: MessageTools['runJob'] = async (
    job,
    { messageId, receiptHandle, receiveCount },
  ) => {
    const owner = `${invocation.name}#${messageId}`;
    witness.began();
    const result = await runJob(tools, job, { owner, receiveCount, maxReceiveCount, clock });
    deployment.nature.history.note(invocation.name, `${result.outcome} ${jobId(job)}`, job.hop);
    witness.answered(receiptHandle, invocation, result);
    return result;
  };
  const queueTools = { readMessage, delay: queue.delay, clock, log };
  return answerMessages({ ...queueTools, runJob: runMessage }, [message]);
}
