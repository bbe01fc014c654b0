import type { Job } from '../core/job.ts';
import { NO_LIMITS, type Policy } from '../core/policy.ts';
import type { UserRow } from '../core/user.ts';
import type { Destination } from '../destinations/contract.ts';
import type { SettingsReader } from './ports.ts';

interface Openable<Surroundings> {
  open(surroundings: Surroundings): Promise<Destination>;
}

/**
 * What one job needs of a user's row, read as it is now.
 * @param surroundingsOf what a destination may use beside its settings
 * @param policy what the operator allows
 */
export function readJobSettings<Surroundings>(
  rows: { read(userId: string): Promise<UserRow<Openable<Surroundings>> | undefined> },
  surroundingsOf: (job: Job) => Surroundings | Promise<Surroundings>,
  policy: () => Promise<Policy> = async () => NO_LIMITS,
): SettingsReader {
  const read: SettingsReader['read'] = async (job) => {
    const row = await rows.read(job.userId);
    if (!row) return undefined;
    if (!row.user.ok) return row.user;
    const { backUp, destinations, enabled } = row.user.value;
    const destination = destinations.get(job.destination);
    if (!enabled || !destination?.enabled) return undefined;
    const { configured, type, verify } = destination;
    const open = async () => configured.open(await surroundingsOf(job));
    return { ok: true, value: { backUp, type, verify, policy: await policy(), open } };
  };
  // A run goes on with the settings that it began with, also while the row is being edited.
  return { read, isActive: async (job) => (await read(job)) !== undefined };
}
