import type { Logger } from '@aws-lambda-powertools/logger';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { acceptUnseen, type ParseDestination } from '../settings/row.ts';
import { openSettingsTable } from '../settings/table.ts';
import { parseDestination } from './parse-destination.ts';
import { openPolicies } from './policies.ts';

interface Environment {
  readonly SETTINGS_TABLE: string;
}

/** The settings table with every type of destination, and the operator's policy by which rows are judged. */
export function openUserRows(
  documents: DynamoDBDocumentClient,
  environment: Environment,
  service: string,
  log: Logger,
) {
  return openRows(documents, environment, service, log, parseDestination);
}

/** The same for those who need to know only which destinations a user has. */
export function openRowsUnseen(
  documents: DynamoDBDocumentClient,
  environment: Environment,
  service: string,
  log: Logger,
) {
  return openRows(documents, environment, service, log, acceptUnseen);
}

function openRows<Configured>(
  documents: DynamoDBDocumentClient,
  environment: Environment,
  service: string,
  log: Logger,
  parse: ParseDestination<Configured>,
) {
  const policies = openPolicies(documents, environment, service, log);
  const rows = openSettingsTable(documents, environment.SETTINGS_TABLE, parse, policies.read);
  return { policies, rows };
}
