import { uploadLost } from '../upload-checkpoint.ts';
import type { Account } from './client.ts';
import { EMPTY_HASH } from './content-hash.ts';
import { readRefusal, says } from './refusals.ts';
import { sessionStarted } from './results.ts';

const NOTHING = Buffer.alloc(0);

const expired = () =>
  uploadLost('its session is not known any more; Dropbox drops it after seven days');

/** Starts a session whose pieces may come in any order. */
export async function startConcurrent(account: Account, signal: AbortSignal): Promise<string> {
  return account.call(signal, async (client, options) => {
    const { result } = await client.filesUploadSessionStart(
      {
        session_type: { '.tag': 'concurrent' },
        close: false,
        contents: NOTHING,
        content_hash: EMPTY_HASH,
      },
      options,
    );
    return sessionStarted.parse(result).session_id;
  });
}

/** Starts a session that holds all of a file and takes no more. */
export async function startWhole(
  account: Account,
  contents: Buffer,
  contentHash: string,
  signal: AbortSignal,
): Promise<string> {
  return account.send(signal, contents.length, async (client, options) => {
    const { result } = await client.filesUploadSessionStart(
      { close: true, contents, content_hash: contentHash },
      options,
    );
    return sessionStarted.parse(result).session_id;
  });
}

/** One range of bytes for a session. */
export interface Piece {
  readonly sessionId: string;
  /** Bytes from the start of the file, on the grid. */
  readonly offset: number;
  readonly contents: Buffer;
  readonly contentHash: string;
  /** The last one of all: whatever its length, and nothing comes after it. */
  readonly close: boolean;
}

/**
 * Sends a piece. `closed` where the session takes no more, since it was closed before.
 * @throws FerryError `upload-lost` where the session is gone
 */
export async function append(
  account: Account,
  { sessionId, offset, contents, contentHash, close }: Piece,
  signal: AbortSignal,
): Promise<'stored' | 'closed'> {
  const cursor = { session_id: sessionId, offset };
  return account.send(signal, contents.length, async (client, options) => {
    try {
      await client.filesUploadSessionAppendV2(
        { cursor, close, contents, content_hash: contentHash },
        options,
      );
      return 'stored';
    } catch (thrown) {
      const refusal = readRefusal(thrown);
      if (says(refusal, 'not_found')) throw expired();
      // A piece whose answer was lost may be refused when it comes again, as in a sequential session.
      const isThere = refusal?.correctOffset === offset + contents.length;
      if (!isThere && !says(refusal, 'closed')) throw thrown;
      return isThere ? 'stored' : 'closed';
    }
  });
}

/**
 * Whether Dropbox still knows a session. It is asked with a request that can only be refused, at an
 * offset that is not on the grid, so that nothing in the session can change.
 */
export async function probe(
  account: Account,
  sessionId: string,
  signal: AbortSignal,
): Promise<'open' | 'closed' | 'gone'> {
  return account.call(signal, async (client, options) => {
    try {
      await client.filesUploadSessionAppendV2(
        {
          cursor: { session_id: sessionId, offset: 1 },
          close: false,
          contents: NOTHING,
          content_hash: EMPTY_HASH,
        },
        options,
      );
      return 'open';
    } catch (thrown) {
      const refusal = readRefusal(thrown);
      // Should Dropbox look at the arguments before the session, the next piece tells what has become of it.
      if (refusal?.status !== 409 && refusal?.status !== 400) throw thrown;
      if (says(refusal, 'not_found')) return 'gone';
      return says(refusal, 'closed') ? 'closed' : 'open';
    }
  });
}
