import type { Digest, Proof } from '../../core/receipt.ts';
import type { RemoteFile } from '../contract.ts';
import { uploadLost } from '../upload-checkpoint.ts';
import type { Account } from './client.ts';
import { EMPTY_HASH } from './content-hash.ts';
import { isWhole, look, prove } from './published.ts';
import { readRefusal } from './refusals.ts';
import { fileMetadata } from './results.ts';

/** A file takes the place of an older one and of nothing else, and nobody is notified of it. */
function commitInfo(account: Account, { path }: RemoteFile) {
  return {
    path: account.pathOf(path),
    mode: { '.tag': 'overwrite' },
    autorename: false,
    mute: true,
  } as const;
}

/** Publishes an empty file, for which there is no session. */
export async function commitEmpty(
  account: Account,
  file: RemoteFile,
  digest: Digest,
  signal: AbortSignal,
): Promise<Proof> {
  const published = await account.commit(signal, async (client, options) => {
    const { result } = await client.filesUpload(
      { ...commitInfo(account, file), contents: Buffer.alloc(0), content_hash: EMPTY_HASH },
      options,
    );
    return fileMetadata.parse(result);
  });
  return prove(account, file, published, digest, EMPTY_HASH, signal);
}

/**
 * Makes a file of what a session holds, and proves it. Where Dropbox knows nothing of the session, that
 * may have happened before, and the answer was lost: then the file is there.
 * @throws FerryError `upload-lost` where it is not
 */
export async function commitSession(
  account: Account,
  file: RemoteFile,
  sessionId: string,
  digest: Digest,
  contentHash: string,
  signal: AbortSignal,
): Promise<Proof> {
  const published = await account.commit(signal, async (client, options) => {
    try {
      const { result } = await client.filesUploadSessionFinish(
        {
          cursor: { session_id: sessionId, offset: file.size },
          commit: commitInfo(account, file),
          contents: Buffer.alloc(0),
          content_hash: EMPTY_HASH,
        },
        options,
      );
      return fileMetadata.parse(result);
    } catch (thrown) {
      if (readRefusal(thrown)?.tags[0] !== 'lookup_failed') throw thrown;
      return undefined;
    }
  });
  if (published) return prove(account, file, published, digest, contentHash, signal);
  const found = await look(account, file.path, signal);
  if (found && found !== 'folder' && isWhole(found, digest.size, contentHash)) {
    return prove(account, file, found, digest, contentHash, signal);
  }
  throw uploadLost('its session is gone, and the file is not there');
}
