import type { Logger } from '@aws-lambda-powertools/logger';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { openSettingsTable } from '../settings/table.ts';
import { parseDestination } from './parse-destination.ts';
import { openPolicies } from './policies.ts';

/** The settings table with every type of destination, and the operator's policy by which rows are judged. */
export function openUserRows(
  documents: DynamoDBDocumentClient,
  environment: { readonly SETTINGS_TABLE: string },
  service: string,
  log: Logger,
) {
  const policies = openPolicies(documents, environment, service, log);
  const { SETTINGS_TABLE } = environment;
  const rows = openSettingsTable(
    documents,
    SETTINGS_TABLE,
    parseDestination,
    Date.now,
    policies.read,
  );
  return { policies, rows };
}
