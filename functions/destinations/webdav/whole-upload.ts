import type { Json } from '../../core/checkpoint.ts';
import type { PartPlan } from '../../core/parts.ts';
import type { Part, RemoteFile, Upload } from '../contract.ts';
import { sendInTime } from '../http/deadline.ts';
import { createTurnstile } from '../http/turnstile.ts';
import { type Saved, toCheckpoint } from './checkpoint.ts';
import { shortWrite, uploadLost } from './errors.ts';
import { ensureFolder } from './folders.ts';
import { openPut, type Put } from './open-put.ts';
import type { Remote } from './remote.ts';
import { folderOf, openTemporaryFile, type TemporaryFile } from './temporary-file.ts';

const HOW = 'file size on the server, before and after the rename';

/** Begins a new upload: one PUT, which takes parts as they come. */
export async function beginWhole(
  remote: Remote,
  file: RemoteFile,
  plan: PartPlan,
  signal: AbortSignal,
): Promise<Upload> {
  const temporary = openTemporaryFile(remote.server, file);
  await ensureFolder(remote.server, folderOf(file), signal);
  if (plan.count === 0) await temporary.put(Buffer.alloc(0), signal);
  return openUpload(remote, file, plan, temporary, 0);
}

/** Finds what had arrived whole, under its own name or the final one; there is nothing between. */
export async function resumeWhole(
  remote: Remote,
  file: RemoteFile,
  plan: PartPlan,
  saved: Saved,
  signal: AbortSignal,
): Promise<Upload> {
  const temporary = openTemporaryFile(remote.server, file, saved);
  const found = await temporary.look(signal);
  const isHere = found ? found.size === file.size : await temporary.isPublished(signal);
  if (saved.parts === plan.count && isHere) {
    return openUpload(remote, file, plan, temporary, plan.count);
  }
  throw uploadLost('the server does not have it any more');
}

function openUpload(
  remote: Remote,
  file: RemoteFile,
  plan: PartPlan,
  temporary: TemporaryFile,
  held: number,
): Upload {
  const { server, atClose } = remote;
  const inOrder = createTurnstile(1);
  let next = held;
  let put: Put | undefined;

  const stop = async () => {
    atClose.delete(stop);
    put?.stop();
    put = undefined;
    await temporary.remove();
  };

  const pass = async ({ number, bytes }: Part, signal: AbortSignal) => {
    if (number === 0) {
      put?.stop();
      // The login has to be settled before, since the body cannot be sent a second time.
      await temporary.look(signal);
      atClose.add(stop);
      put = openPut(server, temporary.url, file.size);
    } else if (number !== next || !put) {
      throw uploadLost('the server takes a file in one piece only');
    }
    next = number;
    await put.write(bytes);
    if (number === plan.count - 1) await put.end();
    next = number + 1;
  };

  return {
    held,
    writePart: (part, signal) =>
      inOrder(async () => {
        if (plan.count === 1) return putAtOnce(part, signal);
        try {
          await sendInTime(signal, part.length, () => pass(part, signal));
        } catch (thrown) {
          put?.stop();
          put = undefined;
          throw thrown;
        }
        if (next === plan.count) await assertArrived(signal);
      }),

    async checkpoint(): Promise<Json | undefined> {
      if (next < plan.count) return undefined;
      return toCheckpoint(file, plan, { by: 'whole', parts: next, ...(await temporary.marks()) });
    },

    finish: (digest, signal) => temporary.finish(digest, HOW, signal),
    abort: stop,
  };

  async function putAtOnce({ bytes }: Part, signal: AbortSignal) {
    await temporary.put(bytes, signal);
    await assertArrived(signal);
    next = 1;
  }

  async function assertArrived(signal: AbortSignal) {
    put = undefined;
    atClose.delete(stop);
    const found = await temporary.look(signal);
    if (found?.size !== file.size) throw shortWrite();
  }
}
