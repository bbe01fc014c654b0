import { KMSClient } from '@aws-sdk/client-kms';
import { Temporal } from 'temporal-polyfill';
import { systemClock } from '../../functions/core/clock.ts';
import type { FerryEvent } from '../../functions/core/event.ts';
import { findReadableSecrets } from '../../functions/destinations/registry.ts';
import { TYPE_NAMES } from '../../functions/destinations/type-names.ts';
import { parseDestination } from '../../functions/platform/parse-destination.ts';
import { openPolicyTable } from '../../functions/policy/table.ts';
import { openHistory } from '../../functions/runs/history.ts';
import { openSealer } from '../../functions/secrets/sealing.ts';
import { openSettingsTable } from '../../functions/settings/table.ts';
import { checkChanges } from '../../functions/settings-changed/check-changes.ts';
import type { PolicyTools } from '../../functions/settings-changed/check-policy.ts';
import { startKeyService } from '../../local/key-service.ts';
import { CREDENTIALS, REGION } from '../../local/local-names.ts';
import { type EmbeddedDynamoDb, startDynamoDb } from '../servers/embedded-dynamodb.ts';

const KEY = 'arn:aws:kms:us-east-1:000000000000:key/secrets';

/** The settings table and the function that looks at what was written into it. */
export interface SettingsWorld {
  readonly dynamo: EmbeddedDynamoDb;
  openPolicies(): ReturnType<typeof openPolicyTable>;
  /** What the function does with a batch of the table's stream: ids that failed, and what it raised. */
  change(
    ids: readonly string[],
    clock?: PolicyTools['clock'],
  ): Promise<{
    readonly failed: ReadonlySet<string>;
    readonly events: readonly FerryEvent[];
  }>;
  stop(): Promise<void>;
}

export async function startSettingsWorld(): Promise<SettingsWorld> {
  const dynamo = await startDynamoDb();
  const keys = await startKeyService();
  keys.add(KEY);
  const kms = new KMSClient({ endpoint: keys.url, region: REGION, credentials: CREDENTIALS });
  const { documents, settingsTable } = dynamo;
  const openPolicies = () => openPolicyTable(documents, settingsTable, TYPE_NAMES, () => {});
  return {
    dynamo,
    openPolicies,
    async change(ids, clock = systemClock(() => 300_000)) {
      const events: FerryEvent[] = [];
      const policies = openPolicies();
      const failed = await checkChanges(
        {
          policies,
          rows: openSettingsTable(documents, settingsTable, parseDestination, policies.read),
          secrets: { find: findReadableSecrets, seal: openSealer(kms, KEY).seal },
          spread: { minutes: 0, shards: 1 },
          metrics: { rowRefused() {} },
          history: {
            jobs: openHistory(documents, dynamo.runsTable).jobs,
            report: openSettingsTable(documents, settingsTable, parseDestination, policies.read)
              .recordRun,
          },
          raise: async (raised) => void events.push(...raised),
          log: { info() {}, warn() {} },
          now: () => Temporal.Now.instant(),
          clock,
        },
        ids,
      );
      return { failed, events };
    },
    async stop() {
      kms.destroy();
      await keys[Symbol.asyncDispose]();
      await dynamo.stop();
    },
  };
}
