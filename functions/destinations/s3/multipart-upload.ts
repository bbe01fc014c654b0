import { FerryError } from '../../core/errors.ts';
import { type PartPlan, partRange } from '../../core/parts.ts';
import type { Digest } from '../../core/receipt.ts';
import { NEVER, sideBySide } from '../../core/stopping.ts';
import type { Json, RemoteFile, Upload } from '../contract.ts';
import { endAbandoned } from './abandoned-uploads.ts';
import type { Bucket } from './client.ts';
import { partEtag } from './etags.ts';
import { type MultipartState, readCheckpoint, writeCheckpoint } from './multipart-checkpoint.ts';
import {
  createUpload,
  type HeldPart,
  type MultipartRequests,
  requestsOf,
} from './multipart-requests.ts';
import { look, prove } from './published.ts';

/** How often an abort is tried: a part that was under way may arrive after it and be kept. */
const ABORTS = 3;
const ABORT_MS = 30_000;

/** Begins an upload of several parts. */
export async function beginMultipart(
  bucket: Bucket,
  file: RemoteFile,
  plan: PartPlan,
  signal: AbortSignal,
): Promise<Upload> {
  const uploadId = await createUpload(bucket, file, signal);
  return openUpload(bucket, file, plan, { uploadId, etags: [] }, false);
}

/**
 * Goes on with an upload of another process. A part counts as held only where checkpoint and server
 * agree on it; one that the server alone knows of, since its sender was killed, is not sent again where
 * its ETag is the MD5 of what is to be sent.
 * @throws FerryError `upload-lost` when neither the upload nor its finished object is there
 */
export async function resumeMultipart(
  bucket: Bucket,
  file: RemoteFile,
  plan: PartPlan,
  checkpoint: Json,
  signal: AbortSignal,
): Promise<Upload> {
  const state = readCheckpoint(file, plan, checkpoint);
  if (!state) throw lost('The saved state of the upload is not of this file. It is started again.');
  const requests = requestsOf(bucket, file, state.uploadId);
  try {
    const listed = await requests.listParts(signal);
    if (!listed) await probe(requests, plan, signal);
    const etags = listed ? confirmParts(listed, plan, state) : state.etags;
    return openUpload(bucket, file, plan, { ...state, etags }, false, listed);
  } catch (thrown) {
    if (!isLost(thrown)) throw thrown;
    const found = await look(bucket, file, signal);
    if (!found?.isOurs) throw thrown;
    return openUpload(bucket, file, plan, state, true);
  }
}

function openUpload(
  bucket: Bucket,
  file: RemoteFile,
  plan: PartPlan,
  { uploadId, etags }: MultipartState,
  alreadyPublished: boolean,
  listed: ReadonlyMap<number, HeldPart> = new Map(),
): Upload {
  const requests = requestsOf(bucket, file, uploadId);
  const taken = new Map(etags.entries());
  let published = alreadyPublished;

  const leading = () => {
    const known: string[] = [];
    for (let etag = taken.get(0); etag !== undefined; etag = taken.get(known.length)) {
      known.push(etag);
    }
    return known;
  };
  const abort = async () => {
    await abortRepeatedly(requests);
    await endAbandoned(bucket, file, uploadId, NEVER);
  };
  const complete = async (digest: Digest, signal: AbortSignal) => {
    const known = leading();
    if (known.length !== plan.count || digest.size !== plan.size) {
      throw new FerryError(
        'short-write',
        'Not every part has arrived. The missing ones are sent.',
        {
          retry: 'now',
          scope: 'archive',
        },
      );
    }
    try {
      await requests.complete(known, digest, signal);
    } catch (thrown) {
      // The answer may be lost and the object whole; only a look at the final name can tell.
      const found = await look(bucket, file, signal).catch(() => undefined);
      if (!found?.isOurs) {
        if (thrown instanceof FerryError && thrown.code === 'corrupted') await abort();
        throw thrown;
      }
    }
  };

  return {
    held: alreadyPublished ? plan.count : etags.length,
    async writePart({ number, bytes }, signal) {
      const there = listed.get(number);
      const isThere = there?.size === bytes.length && there.etag === partEtag(bytes);
      taken.set(number, isThere ? there.etag : await requests.uploadPart(number, bytes, signal));
    },
    checkpoint: async () => writeCheckpoint(file, plan, { uploadId, etags: leading() }),
    async finish(digest, signal) {
      if (!published) await complete(digest, signal);
      published = true;
      const known = leading();
      const etags = known.length === plan.count ? known : undefined;
      const [proof] = await sideBySide([
        prove(bucket, file, digest, etags, signal),
        endAbandoned(bucket, file, uploadId, signal),
      ]);
      return proof;
    },
    abort,
  };
}

/** ETags of the leading parts on which checkpoint and server agree. */
function confirmParts(
  held: ReadonlyMap<number, HeldPart>,
  plan: PartPlan,
  { etags }: MultipartState,
): readonly string[] {
  const wrong = etags.findIndex((etag, number) => {
    const part = held.get(number);
    return part?.etag !== etag || part.size !== partRange(plan, number).length;
  });
  return wrong < 0 ? etags : etags.slice(0, wrong);
}

/**
 * Finds out whether an upload is still there on a server that does not list parts, by a part of one
 * byte past the last one. Completion does not name it, and S3 drops parts that are not named.
 * @throws FerryError `upload-lost`
 */
async function probe(requests: MultipartRequests, plan: PartPlan, signal: AbortSignal) {
  await requests.uploadPart(plan.count, Buffer.alloc(1), signal);
}

async function abortRepeatedly(requests: MultipartRequests): Promise<void> {
  const signal = AbortSignal.timeout(ABORT_MS);
  try {
    for (let tries = 0; tries < ABORTS; tries++) await requests.abort(signal);
  } catch (thrown) {
    // Swift knows a completed upload no more than its name.
    const isOver = thrown instanceof FerryError && thrown.code === 'not-found';
    if (!isOver && !isLost(thrown)) throw thrown;
  }
}

function isLost(thrown: unknown): boolean {
  return thrown instanceof FerryError && thrown.code === 'upload-lost';
}

function lost(message: string): FerryError {
  return new FerryError('upload-lost', message, { retry: 'now', scope: 'archive' });
}
