import type { Logger } from '@aws-lambda-powertools/logger';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { openJudgedRows } from './judged-rows.ts';
import { parseDestination } from './parse-destination.ts';

/** The settings table with every type of destination, and the operator's policy by which rows are judged. */
export function openUserRows(
  documents: DynamoDBDocumentClient,
  environment: { readonly SETTINGS_TABLE: string },
  service: string,
  log: Logger,
) {
  return openJudgedRows(documents, environment, service, log, parseDestination);
}
