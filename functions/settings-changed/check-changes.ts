import { POLICY_ID } from '../core/policy.ts';
import { checkPolicy, type PolicyTools } from './check-policy.ts';
import { checkAll } from './check-settings.ts';

/**
 * Looks at the items that were written, users' rows and the operator's policy, each once. Resolves with
 * the ids of those that could not be read or written; the others are done with.
 */
export async function checkChanges(
  tools: PolicyTools,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  const failed = new Set(
    await checkAll(
      tools,
      ids.filter((id) => id !== POLICY_ID),
    ),
  );
  if (ids.includes(POLICY_ID)) {
    await checkPolicy(tools).catch((error: unknown) => {
      failed.add(POLICY_ID);
      tools.log.warn('policy not checked', { error });
    });
  }
  return failed;
}
