import { setTimeout as wait } from 'node:timers/promises';
import { NO_LIMITS } from '../functions/core/policy.ts';
import { acceptUnseen, readRow } from '../functions/settings/row.ts';
import type { Work } from './command.ts';
import { EXIT, type ExitStatus } from './failure.ts';
import type { Ferry } from './ferry.ts';
import { sealSecrets } from './secrets.ts';
import { type Expected, findUser, writeSpec } from './users.ts';

/** How long Ferry may take to look at a row: many times the usual; and how often it is asked, in ms. */
const PATIENCE_MS = 15_000;
const LOOK_EVERY_MS = 500;

/** What Ferry made of settings that were written. */
export interface Plan {
  readonly state: 'valid' | 'invalid' | 'not checked yet';
  /** ISO 8601, UTC; absent for a user who is not to run. */
  readonly nextRun?: string | undefined;
}

/** Waits until Ferry has looked at the row, and tells when the user runs next or what is wrong. */
export async function awaitPlan(
  ferry: Ferry,
  userId: string,
  say: Work['say'],
  patienceMs = PATIENCE_MS,
): Promise<Plan> {
  const until = Date.now() + patienceMs;
  for (;;) {
    const user = await findUser(ferry, userId);
    if (!user) return { state: 'not checked yet' };
    const { checkedHash, specHash } = readRow(user.item, acceptUnseen, NO_LIMITS);
    if (checkedHash === specHash && user.status?.state) {
      const { nextRun, problems, state } = user.status;
      if (state === 'valid')
        say(nextRun ? `Next run: ${nextRun}` : 'Switched off: no run is planned.');
      else for (const { path, problem, remedy } of problems) say(`  ${path}: ${problem} ${remedy}`);
      return { state, nextRun };
    }
    if (Date.now() > until) {
      say(`Ferry has not looked at the row yet. See later: ferry user show ${userId}`);
      return { state: 'not checked yet' };
    }
    await wait(LOOK_EVERY_MS);
  }
}

/**
 * Writes settings that were found valid, with their secrets sealed, and waits for what Ferry makes of
 * them.
 */
export async function writePlanned(
  ferry: Ferry,
  userId: string,
  spec: unknown,
  expected: Expected,
  say: Work['say'],
): Promise<{ readonly plan: Plan; readonly status: ExitStatus }> {
  await writeSpec(ferry, userId, await sealSecrets(ferry, userId, spec), expected);
  say(`The settings of "${userId}" are written.`);
  const plan = await awaitPlan(ferry, userId, say);
  return { plan, status: plan.state === 'invalid' ? EXIT.failed : EXIT.done };
}
