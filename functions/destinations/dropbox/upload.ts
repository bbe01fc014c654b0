import type { Json } from '../../core/checkpoint.ts';
import type { PartPlan } from '../../core/parts.ts';
import type { Part, RemoteFile, Upload } from '../contract.ts';
import { uploadLost } from '../upload-checkpoint.ts';
import { admit } from './admission.ts';
import { readCheckpoint, toCheckpoint } from './checkpoint.ts';
import type { Account } from './client.ts';
import { commitEmpty, commitSession } from './commit.ts';
import {
  BLOCK,
  hashBlocks,
  type RunningContentHash,
  resumeContentHash,
  startContentHash,
  toContentHash,
} from './content-hash.ts';
import { isWhole, look } from './published.ts';
import { append, probe, startConcurrent, startWhole } from './session.ts';

/** Where an upload stands that begins or goes on. */
interface Standing {
  /** None for an archive of one part, whose session begins with that part. */
  readonly sessionId?: string;
  readonly isClosed: boolean;
  readonly held: number;
  readonly hash: RunningContentHash;
}

/** Looks whether Dropbox can keep the file at all, and begins a session for its parts. */
export async function beginUpload(
  account: Account,
  file: RemoteFile,
  plan: PartPlan,
  signal: AbortSignal,
): Promise<Upload> {
  const isLarge = plan.count > 1;
  await admit(account, file, isLarge, signal);
  const hash = await startContentHash();
  const session = isLarge ? { sessionId: await startConcurrent(account, signal) } : {};
  return openUpload(account, file, plan, { ...session, isClosed: false, held: 0, hash });
}

/** Goes on in a session of another process, or finds that the file is published already. */
export async function resumeUpload(
  account: Account,
  file: RemoteFile,
  plan: PartPlan,
  json: Json,
  signal: AbortSignal,
): Promise<Upload> {
  const { sessionId, parts: held, hash: state } = readCheckpoint(json, file, plan);
  const hash = await resumeContentHash(state);
  if (!hash) throw uploadLost('its checksum was begun by another version of Ferry');
  const isComplete = held === plan.count;
  const found = await probe(account, sessionId, signal);
  if (found === 'gone') {
    const published = isComplete ? await look(account, file.path, signal) : undefined;
    const isThere =
      published !== undefined &&
      published !== 'folder' &&
      isWhole(published, file.size, hash.current());
    if (!isThere) throw uploadLost('Dropbox does not know its session any more');
  }
  const isClosed = isComplete || found === 'closed';
  return openUpload(account, file, plan, { sessionId, isClosed, held, hash });
}

function openUpload(
  account: Account,
  file: RemoteFile,
  plan: PartPlan,
  { held, hash, ...standing }: Standing,
): Upload {
  const last = plan.count - 1;
  /** What goes with the request that closes the session, which alone may end off the grid. */
  const tailLength = plan.size % BLOCK || Math.min(BLOCK, plan.size);
  let { sessionId, isClosed } = standing;
  let tail: Buffer | undefined;
  let closing: Promise<void> | undefined;
  /** Hashes of the blocks of parts that have arrived before an earlier one. */
  const arrived = new Map<number, Buffer>();
  let prefix = held;

  const settle = (number: number, blockHashes: Buffer) => {
    if (number >= prefix) arrived.set(number, blockHashes);
    while (prefix < plan.count && (prefix < last || isClosed)) {
      const next = arrived.get(prefix);
      if (!next) return;
      hash.add(next);
      arrived.delete(prefix);
      prefix += 1;
    }
  };

  const sendWhole = async ({ bytes }: Part, blockHashes: Buffer, signal: AbortSignal) => {
    sessionId = await startWhole(account, bytes, toContentHash(blockHashes), signal);
    isClosed = true;
  };

  /** Sends what of a part is on the grid; the end of the last part waits for all others. */
  const sendPiece = async (
    part: Part,
    blockHashes: Buffer,
    session: string,
    signal: AbortSignal,
  ) => {
    const onGrid = part.number === last ? part.length - tailLength : part.length;
    if (part.number === last) tail = Buffer.from(part.bytes.subarray(onGrid));
    if (onGrid === 0) return;
    const outcome = await append(
      account,
      {
        sessionId: session,
        offset: part.offset,
        contents: part.bytes.subarray(0, onGrid),
        contentHash: toContentHash(blockHashes.subarray(0, (onGrid / BLOCK) * 32)),
        close: false,
      },
      signal,
    );
    // Whoever closed it had sent all parts before.
    if (outcome === 'closed') isClosed = true;
  };

  const close = async (session: string, contents: Buffer, signal: AbortSignal) => {
    const offset = plan.size - contents.length;
    const contentHash = toContentHash(hashBlocks(contents));
    const piece = { sessionId: session, offset, contents, contentHash, close: true };
    await append(account, piece, signal);
    isClosed = true;
  };

  return {
    held,

    async writePart(part, signal) {
      const { number, bytes } = part;
      const blockHashes = hashBlocks(bytes);
      if (plan.count === 1) await sendWhole(part, blockHashes, signal);
      else if (!isClosed && sessionId !== undefined) {
        await sendPiece(part, blockHashes, sessionId, signal);
      }
      settle(number, blockHashes);
      const isComplete = prefix === last && arrived.has(last);
      if (!isComplete || isClosed || tail === undefined || sessionId === undefined) return;
      closing ??= close(sessionId, tail, signal).finally(() => {
        closing = undefined;
      });
      await closing;
      settle(number, blockHashes);
    },

    async checkpoint() {
      if (sessionId === undefined) return undefined;
      return toCheckpoint(file, plan, { sessionId, parts: prefix, hash: hash.save() });
    },

    async finish(digest, signal) {
      if (plan.count === 0) return commitEmpty(account, file, digest, signal);
      if (sessionId === undefined || prefix < plan.count) {
        throw uploadLost('not all of its parts have been sent');
      }
      return commitSession(account, file, sessionId, digest, hash.current(), signal);
    },

    /** Dropbox has no request that drops a session; it does so by itself after seven days. */
    async abort() {},
  };
}
