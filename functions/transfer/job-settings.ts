import { FerryError } from '../core/errors.ts';
import type { Job } from '../core/job.ts';
import { NO_LIMITS, type Policy } from '../core/policy.ts';
import type { UserRow } from '../core/user.ts';
import type { Destination } from '../destinations/contract.ts';
import type { SettingsReader } from './ports.ts';

interface Openable<Surroundings> {
  /** Names of secrets that stand there as text. */
  readonly readable: readonly string[];
  open(surroundings: Surroundings): Promise<Destination>;
}

/**
 * What one job needs of a user's row, read as it is now, and only once it has been looked at.
 * @param surroundingsOf what a destination may use beside its settings
 * @param policy what the operator allows
 */
export function readJobSettings<Surroundings>(
  rows: {
    read(userId: string): Promise<UserRow<Openable<Surroundings>> | undefined>;
    /** Has a row looked at again. */
    askForCheck(userId: string): Promise<void>;
  },
  surroundingsOf: (job: Job) => Surroundings | Promise<Surroundings>,
  policy: () => Promise<Policy> = async () => NO_LIMITS,
): SettingsReader {
  /** Asked for once more: the word of the change may have been lost, or be of an earlier version. */
  const unchecked = async ({ userId }: Job): Promise<FerryError> => {
    await rows.askForCheck(userId);
    return new FerryError(
      'settings-unchecked',
      "The user's settings have changed and are still being looked at. The run goes on when that is done.",
      { retry: 'later' },
    );
  };

  const read: SettingsReader['read'] = async (job) => {
    const row = await rows.read(job.userId);
    if (!row) return undefined;
    // What somebody has just written is looked at within seconds, and its secrets are sealed.
    if (row.checkedHash !== row.specHash) throw await unchecked(job);
    if (!row.user.ok) return row.user;
    const { backUp, destinations, enabled } = row.user.value;
    const destination = destinations.get(job.destination);
    if (!enabled || !destination?.enabled) return undefined;
    const { configured, type, verify } = destination;
    if (configured.readable.length > 0) throw await unchecked(job);
    const open = async () => configured.open(await surroundingsOf(job));
    return { ok: true, value: { backUp, type, verify, policy: await policy(), open } };
  };
  // A run goes on with the settings that it began with, also while the row is being edited.
  const isActive: SettingsReader['isActive'] = async (job) => {
    const user = (await rows.read(job.userId))?.user;
    if (!user?.ok) return user !== undefined;
    return user.value.enabled && user.value.destinations.get(job.destination)?.enabled === true;
  };
  return { read, isActive };
}
