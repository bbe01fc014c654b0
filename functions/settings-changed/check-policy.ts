import type { Clock } from '../core/clock.ts';
import type { PolicyState } from '../core/policy.ts';
import { describeProblems } from '../core/problem.ts';
import { type CheckTools, checkAll } from './check-settings.ts';
import type { CheckedRows, Policies } from './ports.ts';

export interface PolicyTools extends CheckTools {
  readonly rows: CheckedRows;
  readonly policies: Policies;
  readonly clock: Pick<Clock, 'now' | 'remaining'>;
}

/**
 * For so long one invocation walks, in ms: other rows of the same shard of the stream wait meanwhile,
 * who expect a verdict within seconds, and what a crash repeats is no more than this.
 */
const WALK_MS = 10_000;
/** With less than this left of the invocation no page begins but the first, in ms; one takes a second. */
const RESERVE_MS = 60_000;

/**
 * Looks at the policy that was written: checks every row by what counts now, then says in the policy's
 * own status what was made of it. It walks for some seconds and notes in the item where it is, which is
 * a change and calls it again, to go on from there. Does nothing where the status speaks of this very
 * policy, and so comes to rest after its own writes.
 *
 * Order of effects: the policy kept and the walk begun, by one write → rows of a page → … → position,
 * once an invocation → … → status, and the walk removed by the same write. A crash in between repeats
 * the pages since the last position, of which rows that are settled cost a read each. Each write holds
 * only while the walk is where it was read: of two who walk at once one loses, writes nothing, and so
 * calls nobody.
 * @throws where a row could neither be checked nor be asked for
 */
export async function checkPolicy(tools: PolicyTools): Promise<void> {
  const { log, policies } = tools;
  const found = await policies.look();
  const { hash, mark, problems, walk } = found;
  // No row is judged by an older one than that whose walk this is.
  policies.forget();
  // A walk of another policy has left rows behind that this one has not judged.
  if (mark === undefined && found.checkedHash === hash) return;
  // Kept first, so that no row can keep it from counting later.
  const state = walk?.policyHash === hash ? found : await policies.begin(found);
  if (state === undefined || !(await walkOn(tools, state))) return;
  if (!(await policies.settle(state))) return;
  if (problems.length === 0) log.info('policy accepted', {});
  else log.warn('policy refused', { reason: describeProblems(problems) });
}

/** Whether the last row is done with; else it is noted which ones are. */
async function walkOn(tools: PolicyTools, state: PolicyState): Promise<boolean> {
  const { clock, log, policies } = tools;
  const until = clock.now() + WALK_MS;
  let rows = state.walk?.rows ?? 0;
  for await (const page of tools.rows.everyone(state.walk?.after)) {
    const after = page.at(-1);
    // A page of no user is no step: a position that does not change calls nobody.
    if (after === undefined) continue;
    await checkPage(tools, page);
    rows += page.length;
    if (clock.now() < until && clock.remaining() > RESERVE_MS) continue;
    const moved = await policies.moveOn(state, { policyHash: state.hash, after, rows });
    if (moved) log.info('policy walked on', { rows });
    return false;
  }
  return true;
}

/**
 * A row that cannot be checked is asked for by itself and does not hold up the others: its own change
 * comes again as often as the stream tries, then goes to the dead letters with an alarm. As nothing is
 * written by a check that fails, that does not go round in circles.
 */
async function checkPage(tools: PolicyTools, page: readonly string[]): Promise<void> {
  const failed = await checkAll(tools, page);
  await Promise.all([...failed].map((userId) => tools.rows.askForCheck(userId)));
}
