import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { describeProblems } from '../functions/core/problem.ts';
import { TYPE_NAMES } from '../functions/destinations/type-names.ts';
import { openPolicyTable } from '../functions/policy/table.ts';
import { LOOPBACK } from './local-names.ts';

/**
 * What the operator of this machine allows: users' servers are on loopback and speak plain http, and
 * runs come every minute. A deployed Ferry allows none of this by itself.
 */
const LOCAL_POLICY = {
  v: 1,
  shortestIntervalMinutes: 1,
  network: { allow: LOOPBACK },
  plainHttp: true,
  insecureTls: true,
};

/** Writes the policy as the command line does for an operator. */
export async function writePolicy(table: {
  readonly dynamodb: DynamoDBClient;
  readonly name: string;
}): Promise<void> {
  const documents = DynamoDBDocumentClient.from(table.dynamodb);
  const policies = openPolicyTable(documents, table.name, TYPE_NAMES, () => {});
  const written = await policies.put(LOCAL_POLICY);
  if (!written.ok) throw new Error(describeProblems(written.problems));
}
