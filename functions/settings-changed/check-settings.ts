import { isDeepStrictEqual } from 'node:util';
import type { Temporal } from 'temporal-polyfill';
import { FerryError } from '../core/errors.ts';
import { type FerryEvent, settingsRefused } from '../core/event.ts';
import { planAfterChange, type Spread } from '../core/plan.ts';
import { describeProblems } from '../core/problem.ts';
import type { SettingsRows, UserRow } from '../core/user.ts';
import type { CheckMetrics, Log } from './ports.ts';

export interface CheckTools {
  readonly rows: SettingsRows<unknown>;
  readonly spread: Spread;
  readonly metrics: CheckMetrics;
  readonly log: Log;
  /** Tells operators; resolves also where nobody could be told. */
  raise(events: readonly FerryEvent[]): Promise<void>;
  now(): Temporal.Instant;
}

/** How often a row is read anew because the tick moved it on in the meantime. */
const ATTEMPTS = 5;

/**
 * Looks at rows that were written, each once. Resolves with the users whose row could not be read or
 * written; the others are done with.
 */
export async function checkAll(
  tools: CheckTools,
  userIds: Iterable<string>,
): Promise<ReadonlySet<string>> {
  const failed = new Set<string>();
  const check = async (userId: string) => {
    try {
      await checkSettings(tools, userId);
    } catch (error) {
      failed.add(userId);
      tools.log.warn('settings not checked', { userId, error });
    }
  };
  await Promise.all([...new Set(userIds)].map(check));
  return failed;
}

/**
 * Looks at one row that was written: says in its status whether it is valid, and puts it where it
 * belongs in the due index. A row that has become invalid leaves the index, so that it never runs
 * with settings that are no longer there. Does nothing where nothing is to be changed, and so comes
 * to rest after its own writes, which are changes, too.
 */
export async function checkSettings(tools: CheckTools, userId: string): Promise<void> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const row = await tools.rows.read(userId);
    if (!row || isSettled(row, tools) || (await checkRow(tools, userId, row))) return;
  }
  throw new FerryError('internal', `The row of ${userId} kept changing while it was checked.`, {
    retry: 'later',
  });
}

/**
 * False where the row changed since it was read. The event goes before the verdict, after which nobody
 * looks at this content again: a crash in between raises it twice, with the same id.
 */
async function checkRow(
  { rows, spread, metrics, log, raise, now }: CheckTools,
  userId: string,
  { user, specHash, checkedHash, due: planned }: UserRow<unknown>,
): Promise<boolean> {
  if (user.ok) {
    const due = planAfterChange(user.value, planned, now(), spread, specHash !== checkedHash);
    const saved = await rows.save(userId, planned, { specHash, problems: [], due });
    if (saved) log.info('settings accepted', { userId, nextRun: due?.at });
    return saved;
  }
  const { problems } = user;
  await raise([settingsRefused(userId, specHash, problems)]);
  const saved = await rows.save(userId, planned, { specHash, problems });
  if (saved) {
    metrics.rowRefused();
    log.warn('settings refused', { userId, reason: describeProblems(problems) });
  }
  return saved;
}

/**
 * Whether the status speaks of this very spec and says what there is to say by today's policy, and the
 * due index has the user exactly where it has to.
 */
function isSettled(row: UserRow<unknown>, { now, spread }: CheckTools): boolean {
  const { checkedHash, due, specHash, told, user } = row;
  if (checkedHash !== specHash) return false;
  if (!isDeepStrictEqual(told, user.ok ? [] : user.problems)) return false;
  const planned = user.ok ? planAfterChange(user.value, due, now(), spread, false) : undefined;
  return planned?.at === due?.at && planned?.shard === due?.shard;
}
