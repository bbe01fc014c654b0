import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Egress } from '../core/egress.ts';
import { NEVER } from '../core/stopping.ts';
import type { Surroundings } from '../destinations/surroundings.ts';
import { openEgress } from '../egress/egress.ts';
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
  environment: {
    readonly RUNS_TABLE: string;
    readonly ROLE_ENDPOINTS: readonly string[];
    readonly EGRESS_ALLOW: readonly string[];
  },
): (place: Place) => Surroundings {
  const roles = openDeliveryRoles(connectSts());
  const findings = openFindings(documents, environment.RUNS_TABLE);
  const egress = openEgress({ allow: environment.EGRESS_ALLOW, ports: {} });
  return surroundingsOf(staging, roles, findings, environment.ROLE_ENDPOINTS, egress);
}

/** What each destination may use of this deployment. */
export function surroundingsOf(
  staging: Pick<ReturnType<typeof openStaging>, 'readText'>,
  roles: ReturnType<typeof openDeliveryRoles>,
  findings: ReturnType<typeof openFindings>,
  roleEndpoints: readonly string[],
  egress: Egress,
): (place: Place) => Surroundings {
  return ({ userId, destination }) => ({
    readFile: (path) => staging.readText(userId, path, NEVER),
    egress,
    trustFirstHostKey: false,
    roleEndpoints,
    assumeRole: (arn, signal) => roles.assume(userId, arn, signal),
    recall: () => findings.recall({ userId, destination }),
    remember: (found, days) => findings.remember({ userId, destination }, found, days),
  });
}
