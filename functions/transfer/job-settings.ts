import { FerryError } from '../core/errors.ts';
import type { Job, JobName } from '../core/job.ts';
import type { Lease } from '../core/lease.ts';
import type { Policy } from '../core/policy.ts';
import type { Parsed } from '../core/problem.ts';
import type { UserRow } from '../core/user.ts';
import type { Destination } from '../destinations/contract.ts';
import type { JobSettings, SettingsReader } from './ports.ts';

interface Openable<Surroundings> {
  /** Names of secrets that stand there as text. */
  readonly readable: readonly string[];
  open(surroundings: Surroundings): Promise<Destination>;
}

type Row<Surroundings> = UserRow<Openable<Surroundings>>;

/** The settings table, and what was kept of it. */
interface Rows<Surroundings> {
  read(userId: string): Promise<Row<Surroundings> | undefined>;
  readKept(item: unknown): Promise<Row<Surroundings>>;
  /** Has a row looked at again. */
  askForCheck(userId: string): Promise<void>;
}

/** Where the settings of a job are kept until it has ended. */
interface KeptSettings {
  keptSettings(job: JobName): Promise<unknown>;
  /** @throws FerryError `lease-lost` when a later holder has written */
  keepSettings(lease: Lease, job: JobName, settings: unknown): Promise<void>;
}

/**
 * What one job needs of a user's row: as it is when the job begins, and only once it has been looked at.
 * The job goes on with that until it ends, however the row is edited meanwhile; a user or destination
 * that is removed or switched off ends it, and so does an operator who does not allow it any more.
 * @param surroundingsOf what a destination may use beside its settings
 * @param policy what the operator allows
 */
export function readJobSettings<Surroundings>(
  rows: Rows<Surroundings>,
  kept: KeptSettings,
  surroundingsOf: (job: Job) => Surroundings | Promise<Surroundings>,
  policy: () => Promise<Policy>,
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

  const settingsOf = async (
    job: Job,
    { user }: Row<Surroundings>,
  ): Promise<Parsed<JobSettings> | undefined> => {
    if (!user.ok) return user;
    const { backUp, destinations } = user.value;
    const destination = destinations.get(job.destination);
    if (!destination) return undefined;
    const { configured, type, verify } = destination;
    if (configured.readable.length > 0) throw await unchecked(job);
    const open = async () => configured.open(await surroundingsOf(job));
    return { ok: true, value: { backUp, type, verify, policy: await policy(), open } };
  };

  const read: SettingsReader['read'] = async (job, { lease, goesOn }) => {
    const row = await rows.read(job.userId);
    if (!row || row.isOff(job.destination)) return undefined;
    const earlier = goesOn ? await kept.keptSettings(job) : undefined;
    if (earlier !== undefined) {
      // Anew, since a job may take longer than anything is kept.
      await kept.keepSettings(lease, job, earlier);
      return settingsOf(job, await rows.readKept(earlier));
    }
    // What somebody has just written is looked at within seconds, and its secrets are sealed.
    if (row.checkedHash !== row.specHash) throw await unchecked(job);
    const settings = await settingsOf(job, row);
    if (settings?.ok) await kept.keepSettings(lease, job, row.only(job.destination));
    return settings;
  };

  const isActive: SettingsReader['isActive'] = async (job) => {
    const row = await rows.read(job.userId);
    return row !== undefined && !row.isOff(job.destination);
  };
  return { read, isActive };
}
