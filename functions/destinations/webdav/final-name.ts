import { FerryError } from '../../core/errors.ts';
import { sideBySide } from '../../core/stopping.ts';
import type { RemoteFile } from '../contract.ts';
import { ensureFolder } from './folders.ts';
import { type Entry, look } from './properties.ts';
import { folderOf } from './remote-path.ts';
import type { Server } from './server.ts';

/**
 * Looks whether an archive may take its final name. A MOVE that may overwrite removes a folder of that
 * name with all that is in it (RFC 4918, 9.9.3), so nothing but a file is ever replaced.
 * @throws FerryError `name-refused` where a folder has the name
 */
export async function assertNoFolder(
  server: Server,
  url: string,
  signal: AbortSignal,
): Promise<Entry | undefined> {
  const found = await look(server, url, signal);
  if (found?.kind === 'folder') throw folderInPlace();
  return found;
}

/**
 * Makes the folder of a file and looks whether the file may take its final name, at once. A name that the
 * server forbids shows here too.
 * @throws FerryError `name-refused` where a folder has the name
 */
export async function preparePlace(
  server: Server,
  file: Pick<RemoteFile, 'path'>,
  signal: AbortSignal,
): Promise<void> {
  await sideBySide([
    ensureFolder(server, folderOf(file), signal),
    assertNoFolder(server, server.fileUrl(file.path), signal),
  ]);
}

export function folderInPlace(): FerryError {
  return new FerryError(
    'name-refused',
    'At the destination a folder has the name that this archive would get. Stage the archive under another name, or rename or remove the folder.',
    { retry: 'never', scope: 'archive' },
  );
}
