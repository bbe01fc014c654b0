import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Egress } from '../core/egress.ts';
import type { Place } from '../core/sealed.ts';
import { NEVER } from '../core/stopping.ts';
import type { Surroundings } from '../destinations/surroundings.ts';
import { openEgress } from '../egress/egress.ts';
import { openDeliveryRoles } from '../roles/delivery-roles.ts';
import { openFindings } from '../runs/findings.ts';
import { openUnsealer, type Unsealer } from '../secrets/sealing.ts';
import type { openStaging } from '../source/staging.ts';
import { connectKms, connectSts } from './clients.ts';

/** Joins what destinations may use of this deployment. */
export function openSurroundings(
  staging: Pick<ReturnType<typeof openStaging>, 'readText'>,
  documents: DynamoDBDocumentClient,
  environment: {
    readonly RUNS_TABLE: string;
    readonly ROLE_ENDPOINTS: readonly string[];
    readonly EGRESS_ALLOW: readonly string[];
  },
): (place: Place) => Surroundings {
  const roles = openDeliveryRoles(connectSts());
  const findings = openFindings(documents, environment.RUNS_TABLE);
  const egress = openEgress({ allow: environment.EGRESS_ALLOW, ports: {} });
  const unsealer = openUnsealer(connectKms());
  return surroundingsOf(staging, roles, findings, unsealer, environment.ROLE_ENDPOINTS, egress);
}

/** What each destination may use of this deployment. */
export function surroundingsOf(
  staging: Pick<ReturnType<typeof openStaging>, 'readText'>,
  roles: ReturnType<typeof openDeliveryRoles>,
  findings: ReturnType<typeof openFindings>,
  unsealer: Unsealer,
  roleEndpoints: readonly string[],
  egress: Egress,
): (place: Place) => Surroundings {
  return ({ userId, destination }) => ({
    unseal: (name, sealed) => unsealer.unseal({ userId, destination }, name, sealed),
    readFile: (path) => staging.readText(userId, path, NEVER),
    egress,
    trustFirstHostKey: false,
    roleEndpoints,
    assumeRole: (arn, signal) => roles.assume(userId, arn, signal),
    recall: () => findings.recall({ userId, destination }),
    remember: (found, days) => findings.remember({ userId, destination }, found, days),
  });
}
