import type { Job } from '../core/job.ts';
import type { UserRow } from '../core/user.ts';
import type { Destination } from '../destinations/contract.ts';
import type { SettingsReader } from './ports.ts';

interface Openable {
  open(): Promise<Destination>;
}

/** What one job needs of a user's row, read as it is now. */
export function readJobSettings(rows: {
  read(userId: string): Promise<UserRow<Openable> | undefined>;
}): SettingsReader {
  return {
    async read(job: Job) {
      const row = await rows.read(job.userId);
      if (!row) return undefined;
      if (!row.user.ok) return row.user;
      const { backUp, destinations, enabled } = row.user.value;
      const destination = destinations.get(job.destination);
      if (!enabled || !destination?.enabled) return undefined;
      const { configured, type } = destination;
      return { ok: true, value: { backUp, type, open: () => configured.open() } };
    },
  };
}
