import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import middy from '@middy/core';
import type { DynamoDBBatchResponse } from 'aws-lambda';
import { Temporal } from 'temporal-polyfill';
import { findReadableSecrets, parseDestination } from '../destinations/registry.ts';
import { connectDynamoDb, connectKms } from '../platform/clients.ts';
import { readEnvironment, settingsChangedEnvironment } from '../platform/environment.ts';
import { LOG_CONTEXT, openLog } from '../platform/logging.ts';
import { openCheckMetrics } from '../platform/metrics.ts';
import { openSealer } from '../secrets/sealing.ts';
import { readStreamEvent } from '../settings/stream-event.ts';
import { openSettingsTable } from '../settings/table.ts';
import { type CheckTools, checkAll } from './check-settings.ts';

const SERVICE = 'settings-changed';
const environment = readEnvironment(settingsChangedEnvironment);
const log = openLog(SERVICE);
const sealer = openSealer(connectKms(), environment.SECRETS_KEY);
const tools: CheckTools = {
  rows: openSettingsTable(connectDynamoDb(), environment.SETTINGS_TABLE, parseDestination),
  secrets: { find: findReadableSecrets, seal: sealer.seal },
  spread: { minutes: environment.SPREAD_MINUTES, shards: environment.DUE_SHARDS },
  metrics: openCheckMetrics(SERVICE),
  log,
  now: () => Temporal.Now.instant(),
};

/** Stream of the settings table: each row that was written is read afresh, checked and planned. */
export const handler = middy<unknown, DynamoDBBatchResponse>()
  .use(injectLambdaContext(log, LOG_CONTEXT))
  .handler(async (event) => {
    const changes = readStreamEvent(event);
    const failed = await checkAll(
      tools,
      changes.map(({ userId }) => userId),
    );
    return {
      batchItemFailures: changes
        .filter(({ userId }) => failed.has(userId))
        .map(({ sequenceNumber }) => ({ itemIdentifier: sequenceNumber })),
    };
  });
