import { GiB, MiB } from '../../core/parts.ts';
import type { Capabilities, Destination, RemoteStat } from '../contract.ts';
import { checkServer } from './check.ts';
import type { SshSurroundings } from './connection.ts';
import { missing } from './errors.ts';
import { listFiles, readFile } from './listing.ts';
import { removeFile, statEntry } from './remote-files.ts';
import { fullPath } from './remote-path.ts';
import { openSession } from './session.ts';
import type { SshSettings } from './settings.ts';
import { beginUpload, resumeUpload } from './upload.ts';

const CAPABILITIES: Capabilities = {
  writes: 'append',
  part: { min: MiB, max: GiB, preferred: 8 * MiB, multiple: 1, most: Number.MAX_SAFE_INTEGER },
  parallel: 2,
  resume: 'parts',
  publish: 'rename',
  // Servers that run commands give a checksum, which is more.
  proof: 'size',
};

/**
 * Opens a folder on an SSH server as a destination, over SFTP. Connects when first needed, and again
 * when the connection was lost.
 */
export async function openSsh(
  settings: SshSettings,
  surroundings: SshSurroundings,
): Promise<Destination> {
  const session = openSession(settings, surroundings);
  return {
    capabilities: async () => CAPABILITIES,
    check: (signal) => checkServer(settings, surroundings, signal),
    begin: (file, plan, signal) => beginUpload(session, file, plan, signal),
    resume: (file, plan, checkpoint, signal) =>
      resumeUpload(session, file, plan, checkpoint, signal),

    async stat(path, signal): Promise<RemoteStat | undefined> {
      const connection = await session.connection(signal);
      const entry = await statEntry(connection, fullPath(connection.base, path), signal);
      if (entry?.kind !== 'file') return undefined;
      return { path, size: entry.size, modifiedAt: new Date(entry.modified * 1000) };
    },

    async *list(prefix, signal) {
      const connection = await session.connection(signal);
      yield* listFiles(connection, prefix.replace(/\/$/, ''), signal);
    },

    async *read(path, signal, range) {
      const connection = await session.connection(signal);
      const full = fullPath(connection.base, path);
      const entry = await statEntry(connection, full, signal);
      if (entry?.kind !== 'file') throw missing(path);
      yield* readFile(connection, full, range ?? { from: 0, to: entry.size }, signal);
    },

    async remove(path, signal) {
      const connection = await session.connection(signal);
      await removeFile(connection, fullPath(connection.base, path), signal);
    },

    close: () => session.close(),
  };
}
