import { Temporal } from 'temporal-polyfill';
import { NO_LIMITS } from '../../../functions/core/policy.ts';
import { openSealer } from '../../../functions/secrets/sealing.ts';
import { openSettingsTable } from '../../../functions/settings/table.ts';
import { checkAll } from '../../../functions/settings-changed/check-settings.ts';
import type { Environment } from '../cloud/environment.ts';
import type { Deployment } from './deployment.ts';
import { findSimulated, parseSimulated } from './settings.ts';

const TIMEOUT_MS = 60_000;
/** How long changes are gathered, in ms. */
const GATHER_MS = [200, 3_000] as const;

/** The stream of the settings table and the function that looks at each change. */
export interface SettingsFeed {
  readonly isQuiet: boolean;
}

/**
 * Hands changed rows to `settings-changed`, in batches that come again until they were handled. A real
 * stream gives up after ten attempts and raises an alarm; this one goes on.
 */
export function followSettings(deployment: Deployment, environment: Environment): SettingsFeed {
  const { nature, settings, spread, witness } = deployment;
  const { timeline, random } = nature;
  const changed = new Set<string>();
  let isPlanned = false;

  const plan = () => {
    if (isPlanned) return;
    isPlanned = true;
    timeline.after(random.between(...GATHER_MS), run);
  };
  const run = () => {
    isPlanned = false;
    const batch = [...changed];
    changed.clear();
    environment.invoke(
      TIMEOUT_MS,
      (invocation) => {
        const { clock } = invocation;
        const documents = settings.connect(invocation);
        const { seal } = openSealer(deployment.keys.connect(invocation), 'key');
        const tools = {
          rows: openSettingsTable(
            documents,
            'settings',
            parseSimulated,
            async () => NO_LIMITS,
            clock.now,
          ),
          secrets: { find: findSimulated, seal },
          spread,
          raise: async () => {},
          history: { async *jobs() {}, report: async () => {} },
          metrics: { rowRefused() {} },
          log: witness.logOf(invocation),
          now: () => Temporal.Instant.fromEpochMilliseconds(clock.now()),
        };
        return checkAll(tools, batch);
      },
      (how) => {
        const failed = typeof how === 'string' ? batch : how.answer;
        for (const userId of failed) changed.add(userId);
        if (changed.size > 0) plan();
      },
    );
  };
  settings.observers.push(({ key }) => {
    changed.add(key);
    if (environment.isIdle) plan();
  });
  return {
    get isQuiet() {
      return changed.size === 0 && !isPlanned && environment.isIdle;
    },
  };
}
