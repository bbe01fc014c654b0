import type { Logger } from '@aws-lambda-powertools/logger';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { describeProblems } from '../core/problem.ts';
import { TYPE_NAMES } from '../destinations/type-names.ts';
import { openPolicyTable } from '../policy/table.ts';
import { openPolicyMetrics } from './metrics.ts';

/** The operator's policy, for one function; one that cannot be used is logged and counted each time it is met. */
export function openPolicies(
  documents: DynamoDBDocumentClient,
  { SETTINGS_TABLE }: { readonly SETTINGS_TABLE: string },
  service: string,
  log: Logger,
) {
  const metrics = openPolicyMetrics(service);
  return openPolicyTable(documents, SETTINGS_TABLE, TYPE_NAMES, (problems) => {
    metrics.policyRefused();
    log.error('policy refused', { reason: describeProblems(problems) });
  });
}
