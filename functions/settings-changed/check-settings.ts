import { isDeepStrictEqual } from 'node:util';
import type { Temporal } from 'temporal-polyfill';
import { FerryError } from '../core/errors.ts';
import { type FerryEvent, settingsRefused } from '../core/event.ts';
import { planAfterChange, type Spread } from '../core/plan.ts';
import { describeProblems } from '../core/problem.ts';
import type { SettingsRows, UserRow } from '../core/user.ts';
import type { CheckMetrics, History, Log, Secrets } from './ports.ts';
import { recallRuns } from './recall-runs.ts';
import { findReadable, type Readable, sealSome } from './seal-secrets.ts';

export interface CheckTools {
  readonly rows: SettingsRows<unknown>;
  readonly secrets: Secrets;
  readonly history: History;
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
 * Looks at one row that was written: seals the secrets in it, says in its status whether it is valid,
 * and puts it where it belongs in the due index, all by one write. A row that has become invalid leaves
 * the index, so that it never runs with settings that are no longer there. Does nothing where nothing
 * is to be changed, and so comes to rest after its own writes, which are changes, too.
 *
 * Order of effects: what is known of past runs, where the status was lost → secrets sealed, which
 * changes nothing → the row. A crash in between does both again.
 */
export async function checkSettings(tools: CheckTools, userId: string): Promise<void> {
  let failures = 0;
  while (failures < ATTEMPTS) {
    const row = await tools.rows.read(userId);
    if (!row) return;
    const readable = findReadable(tools.secrets, row);
    if (readable.length === 0 && isSettled(row, tools)) return;
    // A new row, or one that lost its status.
    if (row.checkedHash === undefined) {
      await recallRuns(tools.history, userId, row.named);
    }
    const outcome = await checkRow(tools, userId, row, readable);
    if (outcome === 'written') return;
    if (outcome === 'changed meanwhile') failures += 1;
  }
  throw new FerryError('internal', `The row of ${userId} kept changing while it was checked.`, {
    retry: 'later',
  });
}

/**
 * Order of effects: event → verdict, after which nobody looks at this content again. A crash in between
 * raises the event twice, with the same id.
 */
async function checkRow(
  { rows, secrets, spread, metrics, log, raise, now }: CheckTools,
  userId: string,
  found: UserRow<unknown>,
  readable: readonly Readable[],
): Promise<'written' | 'more to seal' | 'changed meanwhile'> {
  const sealings = await sealSome(secrets, userId, readable);
  const { user, specHash, checkedHash } = sealings.length > 0 ? found.sealed(sealings) : found;
  const rest = readable.length - sealings.length;
  // The name of a content with a readable secret would help whoever tries to guess that.
  const named = rest > 0 ? undefined : specHash;
  const problems = user.ok ? [] : user.problems;
  const due = user.ok
    ? planAfterChange(user.value, found.due, now(), spread, specHash !== checkedHash)
    : undefined;
  // While secrets are still to be sealed, the row is looked at again.
  if (!user.ok && rest === 0) await raise([settingsRefused(userId, specHash, problems)]);
  const saved = await rows.save(userId, found.due, { specHash: named, problems, due, sealings });
  if (!saved) return 'changed meanwhile';
  if (sealings.length > 0) log.info('secrets sealed', { userId, secrets: sealings.length, rest });
  if (rest > 0) return 'more to seal';
  if (user.ok) {
    log.info('settings accepted', { userId, nextRun: due?.at });
  } else {
    metrics.rowRefused();
    log.warn('settings refused', { userId, reason: describeProblems(problems) });
  }
  return 'written';
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
