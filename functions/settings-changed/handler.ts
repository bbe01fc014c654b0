import middy from '@middy/core';
import type { DynamoDBBatchResponse } from 'aws-lambda';
import { Temporal } from 'temporal-polyfill';
import { systemClock } from '../core/clock.ts';
import { findReadableSecrets } from '../destinations/registry.ts';
import { connectDynamoDb, connectKms } from '../platform/clients.ts';
import { readEnvironment, settingsChangedEnvironment } from '../platform/environment.ts';
import { openRaise } from '../platform/events.ts';
import { logInvocations, openLog } from '../platform/logging.ts';
import { openCheckMetrics } from '../platform/metrics.ts';
import { openUserRows } from '../platform/user-rows.ts';
import { openHistory } from '../runs/history.ts';
import { openSealer } from '../secrets/sealing.ts';
import { readStreamEvent } from '../settings/stream-event.ts';
import { checkChanges } from './check-changes.ts';

const SERVICE = 'settings-changed';
const environment = readEnvironment(settingsChangedEnvironment);
const log = openLog(SERVICE);
const documents = connectDynamoDb();
const { policies, rows } = openUserRows(documents, environment, SERVICE, log);
const sealer = openSealer(connectKms(), environment.SECRETS_KEY);
const tools = {
  rows,
  policies,
  secrets: { find: findReadableSecrets, seal: sealer.seal },
  history: { jobs: openHistory(documents, environment.RUNS_TABLE).jobs, report: rows.recordRun },
  metrics: openCheckMetrics(SERVICE),
  raise: openRaise(log),
  log,
  now: () => Temporal.Now.instant(),
};

/** Stream of the settings table: each row that was written is read afresh, checked and planned. */
export const handler = middy<unknown, DynamoDBBatchResponse>()
  .use(logInvocations(log))
  .handler(async (event, context) => {
    const changes = readStreamEvent(event);
    // A policy that is written is seen by the next row that is checked.
    policies.forget();
    const { windowMinutes: minutes = environment.SPREAD_MINUTES } = await policies.read();
    const spread = { minutes, shards: environment.DUE_SHARDS };
    const failed = await checkChanges(
      { ...tools, spread, clock: systemClock(() => context.getRemainingTimeInMillis()) },
      changes.map(({ userId }) => userId),
    );
    return {
      batchItemFailures: changes
        .filter(({ userId }) => failed.has(userId))
        .map(({ sequenceNumber }) => ({ itemIdentifier: sequenceNumber })),
    };
  });
