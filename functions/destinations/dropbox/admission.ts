import { FerryError } from '../../core/errors.ts';
import { sideBySide } from '../../core/stopping.ts';
import type { RemoteFile } from '../contract.ts';
import { inGib } from '../room.ts';
import type { Account } from './client.ts';
import { isTwin, pathProblem } from './names.ts';
import { look } from './published.ts';
import { readRefusal } from './refusals.ts';
import { spaceUsage } from './results.ts';

/** files.stone, `upload_session/start`: 2^41 - 2^22 bytes. */
export const LARGEST_FILE = 2 ** 41 - 2 ** 22;
const TIB = 2 ** 40;

/**
 * Refuses what Dropbox could not keep in the end, before a byte is sent.
 * @param knowsRoom asks for the room that is left as well
 */
export async function admit(
  account: Account,
  file: RemoteFile,
  knowsRoom: boolean,
  signal: AbortSignal,
): Promise<void> {
  if (file.size > LARGEST_FILE) {
    throw refuse(
      'too-large',
      `Dropbox takes files of up to 2 TiB (${LARGEST_FILE} bytes), and the archive has ${(file.size / TIB).toFixed(2)} TiB (${file.size} bytes). Split the archive into smaller ones or choose another destination.`,
    );
  }
  const problem = pathProblem(file.path);
  if (problem !== undefined) {
    throw refuse('name-refused', `Dropbox cannot keep ${problem}. Give the archive another name.`);
  }
  const [found, room] = await sideBySide([
    look(account, file.path, signal),
    knowsRoom ? roomLeft(account, signal) : undefined,
  ]);
  if (found === 'folder') {
    throw refuse(
      'name-refused',
      'A folder has the name of the archive. Rename or remove it, or let Ferry write elsewhere (DROPBOX_REMOTE_PATH).',
    );
  }
  if (found && isTwin(file.path, found.path_display)) {
    throw refuse(
      'name-refused',
      `To Dropbox, this name and that of the file "${found.name}" are the same, since it makes no difference between capital and small letters. Rename or remove one of them.`,
    );
  }
  const taken = found?.size ?? 0;
  if (room !== undefined && file.size > room + taken) {
    throw refuse(
      'no-space',
      `The Dropbox has ${inGib(room)} left, and the archive has ${inGib(file.size)}. Free some space or upgrade the plan.`,
    );
  }
}

/** Bytes; undefined where Dropbox does not tell, or not this app. */
export async function roomLeft(account: Account, signal: AbortSignal): Promise<number | undefined> {
  const usage = await account.call(signal, async (client, options) => {
    try {
      return spaceUsage.parse((await client.usersGetSpaceUsage(options)).result);
    } catch (thrown) {
      // It needs the permission account_info.read, which Ferry does without.
      if (!readRefusal(thrown)?.tags.includes('missing_scope')) throw thrown;
      return undefined;
    }
  });
  if (!usage) return undefined;
  const { used, allocation } = usage;
  switch (allocation['.tag']) {
    case 'individual':
      return allocation.allocated - used;
    case 'team':
      return allocation.allocated - allocation.used;
    case 'other':
      return undefined;
  }
}

function refuse(code: 'too-large' | 'name-refused' | 'no-space', message: string): FerryError {
  return new FerryError(code, message, { retry: 'never', scope: 'archive' });
}
