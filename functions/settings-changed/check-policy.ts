import { FerryError } from '../core/errors.ts';
import { describeProblems } from '../core/problem.ts';
import { type CheckTools, checkAll } from './check-settings.ts';
import type { CheckedRows, Policies } from './ports.ts';

export interface PolicyTools extends CheckTools {
  readonly rows: CheckedRows;
  readonly policies: Policies;
}

/**
 * Looks at the policy that was written: checks every row by what counts now, then says in the policy's
 * own status what was made of it. Does nothing where the status speaks of this very policy, and so comes
 * to rest after its own write.
 *
 * Order of effects: the policy kept → rows → status. A crash in between checks the rows once more, of
 * which those that are settled cost a read each.
 * @throws FerryError where some row could not be checked
 */
export async function checkPolicy(tools: PolicyTools): Promise<void> {
  const { log, policies, rows } = tools;
  const state = await policies.look();
  const { checkedHash, problems, written } = state;
  if (written !== undefined && checkedHash === written.hash) return;
  // First, so that no row can keep it from counting later.
  await policies.keep(state);
  let failed = 0;
  for await (const page of rows.everyone()) failed += (await checkAll(tools, page)).size;
  if (failed > 0) {
    const message = `The policy was written, and ${failed} rows could not be checked by it.`;
    throw new FerryError('internal', message, { retry: 'later' });
  }
  await policies.settle(state);
  if (problems.length === 0) log.info('policy accepted', {});
  else log.warn('policy refused', { reason: describeProblems(problems) });
}
