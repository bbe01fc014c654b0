import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Policy } from '../core/policy.ts';
import type { Place } from '../core/sealed.ts';
import { NEVER } from '../core/stopping.ts';
import type { Surroundings } from '../destinations/surroundings.ts';
import { openEgress } from '../egress/egress.ts';
import { openDeliveryRoles } from '../roles/delivery-roles.ts';
import { openFindings } from '../runs/findings.ts';
import { openUnsealer, type Unsealer } from '../secrets/sealing.ts';
import type { openStaging } from '../source/staging.ts';
import { connectKms, connectSts } from './clients.ts';

/**
 * Joins what destinations may use of this deployment.
 * @param policy what the operator allows, asked anew for each destination that is opened
 */
export function openSurroundings(
  staging: Pick<ReturnType<typeof openStaging>, 'readText'>,
  documents: DynamoDBDocumentClient,
  policy: () => Promise<Policy>,
  environment: { readonly RUNS_TABLE: string; readonly ROLE_ENDPOINTS: readonly string[] },
): (place: Place) => Promise<Surroundings> {
  const roles = openDeliveryRoles(connectSts());
  const findings = openFindings(documents, environment.RUNS_TABLE);
  const unsealer = openUnsealer(connectKms());
  const { ROLE_ENDPOINTS } = environment;
  return async (place) =>
    surroundingsOf(staging, await policy(), roles, findings, unsealer, ROLE_ENDPOINTS)(place);
}

/** What each destination may use of this deployment. */
export function surroundingsOf(
  staging: Pick<ReturnType<typeof openStaging>, 'readText'>,
  policy: Policy,
  roles: ReturnType<typeof openDeliveryRoles>,
  findings: ReturnType<typeof openFindings>,
  unsealer: Unsealer,
  roleEndpoints: readonly string[],
): (place: Place) => Surroundings {
  const egress = openEgress(policy.network);
  return ({ userId, destination }) => ({
    policy,
    unseal: (name, sealed) => unsealer.unseal({ userId, destination }, name, sealed),
    egress,
    trustFirstHostKey: policy.trustFirstHostKey,
    readFile: (path) => staging.readText(userId, path, NEVER),
    roleEndpoints,
    assumeRole: (arn, signal) => roles.assume(userId, arn, signal),
    recall: () => findings.recall({ userId, destination }),
    remember: (found, days) => findings.remember({ userId, destination }, found, days),
  });
}
