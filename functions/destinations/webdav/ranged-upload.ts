import type { Json } from '../../core/checkpoint.ts';
import { FerryError } from '../../core/errors.ts';
import type { PartPlan, PartRange } from '../../core/parts.ts';
import type { Part, RemoteFile, Span, Upload } from '../contract.ts';
import { createTurnstile } from '../http/turnstile.ts';
import { uploadLost } from '../upload-checkpoint.ts';
import { type Saved, toCheckpoint } from './checkpoint.ts';
import { statusOf } from './errors.ts';
import { isUnknownRequest } from './probe.ts';
import { openSpan, partsAtOnce, type RangedSpan } from './ranged-span.ts';
import { type By, writeRange } from './ranged-write.ts';
import type { Remote } from './remote.ts';
import { openRunningMd5 } from './running-md5.ts';
import { openTemporaryFile, type TemporaryFile } from './temporary-file.ts';

/** Requests are not made smaller than this, whatever a server refuses; in bytes. */
const SMALLEST_REQUEST = 64 * 1024;

const HOW = 'file size on the server, looked at after every request and after the rename';

/** Begins a new upload; whatever is left of an earlier one goes with the first part. */
export async function beginRanged(
  remote: Remote,
  file: RemoteFile,
  plan: PartPlan,
  by: By,
  signal: AbortSignal,
): Promise<Upload> {
  const temporary = openTemporaryFile(remote.server, file);
  await temporary.prepare(signal);
  if (plan.count === 0) await temporary.put(Buffer.alloc(0), signal);
  return openUpload(remote, file, plan, by, temporary, 0);
}

/** Goes on after what the server holds of the file, or finds that it is published already. */
export async function resumeRanged(
  remote: Remote,
  file: RemoteFile,
  plan: PartPlan,
  saved: Saved,
  by: By,
  signal: AbortSignal,
): Promise<Upload> {
  const temporary = openTemporaryFile(remote.server, file, saved);
  const found = await temporary.look(signal);
  if (!found) {
    const isHere = saved.parts === 0 || (await temporary.isPublished(signal));
    if (!isHere) throw uploadLost('the server does not have it any more');
    return openUpload(remote, file, plan, by, temporary, saved.parts);
  }
  if (found.size > file.size) throw uploadLost('the server has more than was sent');
  const isWhole = found.size === file.size;
  const held = isWhole
    ? saved.parts
    : Math.min(saved.parts, Math.floor(found.size / plan.partSize));
  // Marks of a whole file are of no use once it is written to again.
  const own = held === plan.count ? temporary : openTemporaryFile(remote.server, file);
  return openUpload(remote, file, plan, by, own, held);
}

function openUpload(
  remote: Remote,
  file: RemoteFile,
  plan: PartPlan,
  by: By,
  temporary: TemporaryFile,
  held: number,
): Upload {
  const { server, strategies, requests } = remote;
  const inOrder = createTurnstile(1);
  const md5 = openRunningMd5(plan, held);
  let prefix = held;
  let span: RangedSpan | undefined;

  const write = async (offset: number, bytes: Buffer, signal: AbortSignal) => {
    // A whole PUT also takes the place of what an earlier upload may have left.
    if (offset === 0 && prefix === 0) return temporary.put(bytes, signal);
    try {
      await writeRange(server, by, temporary.url, { offset, bytes, size: file.size }, signal);
    } catch (thrown) {
      if (!isUnknownRequest(statusOf(thrown))) throw thrown;
      strategies.forget();
      throw uploadLost('the server does not take it piece by piece any more');
    }
  };

  /** Sends a part in as many requests as the server and what is before it allow. */
  const send = async ({ offset, bytes }: Part, signal: AbortSignal) => {
    for (let sent = 0; sent < bytes.length; ) {
      const length = Math.min(bytes.length - sent, requests.mostBytes);
      try {
        await write(offset + sent, bytes.subarray(sent, sent + length), signal);
        sent += length;
      } catch (thrown) {
        const isTooLarge = thrown instanceof FerryError && thrown.code === 'too-large';
        if (!isTooLarge || length <= SMALLEST_REQUEST) throw thrown;
        requests.mostBytes = Math.max(SMALLEST_REQUEST, Math.floor(length / 2));
      }
    }
  };

  /** A hole in the middle would not show in the size of the whole. */
  const assertArrived = async ({ number, offset, length }: PartRange, signal: AbortSignal) => {
    const isLast = number === plan.count - 1;
    const found = await (isLast ? temporary.lookAtEnd(signal) : temporary.look(signal));
    if (found && found.size >= offset + length) {
      prefix = Math.max(prefix, number + 1);
      return found;
    }
    const reason = await temporary.explainShort(file.size - offset, signal);
    if (offset === 0 || reason.code === 'no-space') throw reason;
    strategies.forget();
    throw uploadLost('the server has less than was sent');
  };

  const takeAlone = async (part: Part, signal: AbortSignal) => {
    await send(part, signal);
    const { etag } = await assertArrived(part, signal);
    md5.take(part, etag);
  };

  /** Resolves when the part's bytes are free; `arrived` says when the server has them. */
  const take = async (part: Part, signal: AbortSignal, promised: Span | undefined) => {
    if (part.number > (span?.next ?? prefix)) throw uploadLost('the part before is missing');
    if (!span) {
      // The first part takes the place of what there was, which only a request of its own can do.
      const count = part.number === 0 ? 1 : partsAtOnce(remote, plan, promised);
      if (count === 1) {
        await takeAlone(part, signal);
        return {};
      }
      const into = { by, url: temporary.url };
      span = openSpan(remote, plan, into, part, count, signal, assertArrived);
    }
    const { arrived } = span;
    try {
      await span.take(part, signal);
    } catch (thrown) {
      span = undefined;
      throw thrown;
    }
    md5.take(part);
    if (span.next === span.end) span = undefined;
    return { arrived };
  };

  return {
    held,
    async writePart(part, signal, promised) {
      const { arrived } = await inOrder(() => take(part, signal, promised));
      promised?.release();
      await arrived;
    },

    async checkpoint(): Promise<Json> {
      const parts = prefix;
      const marks = parts === plan.count ? await temporary.marks() : {};
      return toCheckpoint(file, plan, { by, parts, ...marks });
    },

    finish: (digest, signal) => temporary.finish(digest, HOW, signal, md5.digest()),
    async abort() {
      span?.stop();
      span = undefined;
      await temporary.remove();
    },
  };
}
