import type { Logger } from '@aws-lambda-powertools/logger';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { ParseDestination } from '../settings/row.ts';
import { openSettingsTable } from '../settings/table.ts';
import { openPolicies } from './policies.ts';

/**
 * The settings table, and the operator's policy by which its rows are judged.
 * @param parse judges a destination; what it knows of types is loaded with whoever names it
 */
export function openJudgedRows<Configured>(
  documents: DynamoDBDocumentClient,
  environment: { readonly SETTINGS_TABLE: string },
  service: string,
  log: Logger,
  parse: ParseDestination<Configured>,
) {
  const policies = openPolicies(documents, environment, service, log);
  const rows = openSettingsTable(documents, environment.SETTINGS_TABLE, parse, policies.read);
  return { policies, rows };
}
