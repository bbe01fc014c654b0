import { setTimeout as wait } from 'node:timers/promises';
import type { Json } from '../../core/checkpoint.ts';
import { FerryError } from '../../core/errors.ts';
import type { PartPlan } from '../../core/parts.ts';
import { NEVER } from '../../core/stopping.ts';
import type { Part, RemoteFile, Upload } from '../contract.ts';
import { sendInTime } from '../http/deadline.ts';
import { createTurnstile } from '../http/turnstile.ts';
import { uploadLost } from '../upload-checkpoint.ts';
import { type Saved, toCheckpoint } from './checkpoint.ts';
import { openPut, type Put } from './open-put.ts';
import type { Remote } from './remote.ts';
import { openRunningMd5 } from './running-md5.ts';
import { openTemporaryFile, type TemporaryFile } from './temporary-file.ts';

/** When it is looked whether something of a PUT has come to light after all, in ms. */
const LATE_MS = [100, 400];
const HOW = 'file size on the server, before and after the rename';

/** Begins a new upload: one PUT, which takes parts as they come. */
export async function beginWhole(
  remote: Remote,
  file: RemoteFile,
  plan: PartPlan,
  signal: AbortSignal,
): Promise<Upload> {
  const temporary = openTemporaryFile(remote.server, file);
  await temporary.prepare(signal);
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
  const md5 = openRunningMd5(plan, held);
  let next = held;
  let put: Put | undefined;
  let mayComeLate = false;
  /** Whose end says why no more parts come. */
  let writing = NEVER;

  const breakOff = () => {
    put?.stop();
    mayComeLate ||= put !== undefined;
    put = undefined;
    next = 0;
  };
  const stop = async () => {
    atClose.delete(stop);
    breakOff();
    // Another worker writes under the same name now.
    if (isTakenOver(writing)) return;
    await temporary.remove();
    // Some servers store what they had of a PUT a moment after it was broken off.
    for (const ms of mayComeLate ? LATE_MS : []) {
      await wait(ms);
      if (await temporary.look(NEVER)) await temporary.remove();
    }
    mayComeLate = false;
  };

  const assertArrived = async (signal: AbortSignal) => {
    const found = await temporary.lookAtEnd(signal);
    if (found?.size !== file.size) throw await temporary.explainShort(file.size, signal);
  };
  const pass = async ({ number, bytes }: Part, signal: AbortSignal) => {
    if (number === 0) {
      // The login has to be settled before, since the body cannot be sent a second time.
      await temporary.look(signal);
      atClose.add(stop);
      put = openPut(server, { method: 'PUT', url: temporary.url }, file.size, signal);
    }
    if (number !== next || !put) throw uploadLost('the server takes a file in one piece only');
    await put.write(bytes);
    if (number === plan.count - 1) {
      await put.end();
      put = undefined;
      atClose.delete(stop);
    }
  };

  return {
    held,
    writePart: (part, signal) =>
      inOrder(async () => {
        writing = signal;
        if (part.number < next) return;
        const isLast = part.number === plan.count - 1;
        try {
          if (plan.count === 1) await temporary.put(part.bytes, signal);
          // With its last bytes a server may begin to move the whole file to its place.
          else await sendInTime(signal, isLast ? file.size : part.length, () => pass(part, signal));
          if (isLast) await assertArrived(signal);
        } catch (thrown) {
          breakOff();
          throw thrown;
        }
        md5.take(part);
        next = part.number + 1;
      }),

    async checkpoint(): Promise<Json | undefined> {
      if (next < plan.count) return undefined;
      return toCheckpoint(file, plan, { by: 'whole', parts: next, ...(await temporary.marks()) });
    },

    finish: (digest, signal) => temporary.finish(digest, HOW, signal, md5.digest()),
    abort: stop,
  };
}

function isTakenOver({ reason }: AbortSignal): boolean {
  return reason instanceof FerryError && reason.code === 'lease-lost';
}
