import { NEVER } from '../core/stopping.ts';
import type { Surroundings } from '../destinations/surroundings.ts';
import type { openDeliveryRoles } from '../roles/delivery-roles.ts';
import type { openStaging } from '../source/staging.ts';

/** What the destinations of each user may use of this deployment. */
export function surroundingsOf(
  staging: Pick<ReturnType<typeof openStaging>, 'readText'>,
  roles: ReturnType<typeof openDeliveryRoles>,
  roleEndpoints: readonly string[],
): (userId: string) => Surroundings {
  return (userId) => ({
    readFile: (path) => staging.readText(userId, path, NEVER),
    roleEndpoints,
    assumeRole: (arn, signal) => roles.assume(userId, arn, signal),
  });
}
