import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Policy } from '../core/policy.ts';
import { NEVER } from '../core/stopping.ts';
import type { Surroundings } from '../destinations/surroundings.ts';
import { openDeliveryRoles } from '../roles/delivery-roles.ts';
import { openFindings } from '../runs/findings.ts';
import type { openStaging } from '../source/staging.ts';
import { connectSts } from './clients.ts';

/** One destination of one user. */
interface Place {
  readonly userId: string;
  readonly destination: string;
}

/** Joins what destinations may use of this deployment. */
export function openSurroundings(
  staging: Pick<ReturnType<typeof openStaging>, 'readText'>,
  documents: DynamoDBDocumentClient,
  policy: () => Promise<Policy>,
  environment: { readonly RUNS_TABLE: string; readonly ROLE_ENDPOINTS: readonly string[] },
): (place: Place) => Surroundings {
  const roles = openDeliveryRoles(connectSts());
  const findings = openFindings(documents, environment.RUNS_TABLE);
  return surroundingsOf(staging, policy, roles, findings, environment.ROLE_ENDPOINTS);
}

/** What each destination may use of this deployment. */
export function surroundingsOf(
  staging: Pick<ReturnType<typeof openStaging>, 'readText'>,
  policy: () => Promise<Policy>,
  roles: ReturnType<typeof openDeliveryRoles>,
  findings: ReturnType<typeof openFindings>,
  roleEndpoints: readonly string[],
): (place: Place) => Surroundings {
  return ({ userId, destination }) => ({
    readFile: (path) => staging.readText(userId, path, NEVER),
    policy,
    roleEndpoints,
    assumeRole: (arn, signal) => roles.assume(userId, arn, signal),
    recall: () => findings.recall({ userId, destination }),
    remember: (found) => findings.remember({ userId, destination }, found),
  });
}
