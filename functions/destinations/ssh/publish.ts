import { FerryError } from '../../core/errors.ts';
import type { Digest, Proof } from '../../core/receipt.ts';
import { uploadLost } from '../upload-checkpoint.ts';
import type { Connection } from './connection.ts';
import { removeFile, replaceFile, statEntry } from './remote-files.ts';
import { hashOnServer, type RemoteHash } from './remote-hash.ts';

/** Where one file is on the server, absolute. */
export interface Paths {
  readonly folder: string;
  readonly final: string;
  readonly temporary: string;
}

/**
 * Gives a whole, closed temporary file its final name, once it is proven, so that nothing wrong is ever
 * visible.
 * @param hash what the server computed of it, where it does
 * @throws FerryError `corrupted` when the server's checksum is another one; the file is gone then
 */
export async function publish(
  connection: Connection,
  paths: Paths,
  digest: Digest,
  hash: RemoteHash | undefined,
  signal: AbortSignal,
): Promise<Proof> {
  if (hash && hash.sha256 !== digest.sha256) {
    await removeFile(connection, paths.temporary, signal);
    throw corrupted('its SHA-256 on the server is another one');
  }
  await replaceFile(connection, paths.temporary, paths.final, signal);
  const final = await statEntry(connection, paths.final, signal);
  if (final?.size !== digest.size) throw corrupted('it changed its size when it was renamed');
  return proof(paths.final, digest.size, hash);
}

/**
 * Proves a file that was published before.
 * @param modified when our file was written last, seconds since the epoch
 * @throws FerryError `upload-lost` when what has the final name is not our work
 */
export async function proveFinal(
  connection: Connection,
  path: string,
  digest: Digest,
  modified: number | undefined,
  signal: AbortSignal,
): Promise<Proof> {
  const final = await statEntry(connection, path, signal);
  if (final?.size !== digest.size || final.modified !== modified) {
    throw uploadLost('the server does not have it any more');
  }
  const hash = await hashOnServer(connection, path, digest.size, signal);
  if (hash && hash.sha256 !== digest.sha256) {
    throw uploadLost('another file has taken its place');
  }
  return proof(path, digest.size, hash);
}

function proof(remotePath: string, size: number, hash: RemoteHash | undefined): Proof {
  if (!hash) return { verified: 'size', how: 'file size on the server', remotePath, size };
  const { sha256, tool } = hash;
  return { verified: 'checksum', how: `${tool} on the server`, remotePath, size, checksum: sha256 };
}

function corrupted(what: string): FerryError {
  return new FerryError(
    'corrupted',
    `The file arrived damaged: ${what}. The transfer begins anew.`,
    { retry: 'now', scope: 'archive' },
  );
}
