import type { Json } from '../../core/checkpoint.ts';
import type { PartPlan } from '../../core/parts.ts';
import { partRange } from '../../core/parts.ts';
import { NEVER } from '../../core/stopping.ts';
import type { RemoteFile, Upload } from '../contract.ts';
import { uploadLost } from '../upload-checkpoint.ts';
import { type Mark, type Saved, toCheckpoint } from './checkpoint.ts';
import { shortWrite, statusOf } from './errors.ts';
import { preparePlace } from './final-name.ts';
import { type ChunkPlaces, chunkPlaces } from './nextcloud.ts';
import { isUnknownRequest } from './probe.ts';
import { look, lookInto } from './properties.ts';
import { findOurs, markOf, proveSize, publish } from './publish.ts';
import type { Remote } from './remote.ts';

const HOW = 'file size on the server, which put it together from chunks of known sizes';
/** What requests to do with chunks are answered when these, or what the server knows of them, are gone. */
const GONE = [400, 404, 409, 412];

/** Begins a new upload in a folder of its own; what is left of an earlier one is dropped. */
export async function beginChunked(
  remote: Remote,
  file: RemoteFile,
  plan: PartPlan,
  user: string,
  signal: AbortSignal,
): Promise<Upload> {
  const { server } = remote;
  const places = placesOf(remote, file, plan, user);
  // Here, and not when all has been sent.
  await preparePlace(server, file, signal);
  try {
    await server.call(signal, { method: 'DELETE', url: places.folder, expect: [404] });
    const headers = { destination: places.final };
    await server.call(signal, { method: 'MKCOL', url: places.folder, headers });
  } catch (thrown) {
    if (!isUnknownRequest(statusOf(thrown))) throw thrown;
    remote.strategies.forget();
    throw uploadLost('the server takes no chunks any more');
  }
  return openUpload(remote, file, plan, user, places, 0, undefined);
}

/** Goes on after the chunks that the server has, or finds that the file is published already. */
export async function resumeChunked(
  remote: Remote,
  file: RemoteFile,
  plan: PartPlan,
  saved: Saved,
  user: string,
  signal: AbortSignal,
): Promise<Upload> {
  const { server } = remote;
  const places = placesOf(remote, file, plan, user);
  const found = await lookInto(server, places.folder, signal);
  const { ours, before } = saved;
  if (found === undefined) {
    const final = server.fileUrl(file.path);
    const isHere =
      ours !== undefined &&
      before !== undefined &&
      (await findOurs(server, { final, size: file.size, ours, before, hasOurTime: true }, signal));
    if (!isHere) throw uploadLost('the server does not have it any more');
    return openUpload(remote, file, plan, user, places, plan.count, saved);
  }
  const sizes = new Map(found.map(({ name, size }) => [Number(name) - 1, size]));
  const isListed = [...sizes.keys()].some(Number.isInteger);
  let held = 0;
  while (held < saved.parts && sizes.get(held) === partRange(plan, held).length) held += 1;
  // v2 on an object store shows none of its chunks; there the checkpoint is all that is known.
  return openUpload(remote, file, plan, user, places, isListed ? held : saved.parts, saved);
}

function placesOf({ server }: Remote, file: RemoteFile, plan: PartPlan, user: string): ChunkPlaces {
  // Under another part size the same number means other bytes.
  const id = `ferry-${file.transferId}-${plan.partSize.toString(36)}`;
  return chunkPlaces(server, user, file.path, id);
}

function openUpload(
  remote: Remote,
  file: RemoteFile,
  plan: PartPlan,
  user: string,
  places: ChunkPlaces,
  held: number,
  saved: Saved | undefined,
): Upload {
  const { server } = remote;
  const final = server.fileUrl(file.path);
  const headers = { destination: places.final, 'oc-total-length': String(file.size) };
  const settled = new Set<number>();
  let prefix = held;
  /** Chosen once, and given to the server as the time of the file: that is how it is known again. */
  let ours: Mark | undefined = saved?.ours;
  let before: Mark | null | undefined = saved?.before;

  const marks = async (signal: AbortSignal) => {
    if (ours === undefined || before === undefined) {
      const older = await look(server, final, signal);
      before = older ? markOf(older) : null;
      ours = { modified: new Date().toUTCString() };
    }
    return { ours, before };
  };

  return {
    held,

    async writePart({ number, bytes }, signal) {
      try {
        const url = places.chunk(number);
        await server.call(signal, { method: 'PUT', url, headers, body: bytes });
      } catch (thrown) {
        throw explain(thrown);
      }
      settled.add(number);
      while (settled.delete(prefix)) prefix += 1;
    },

    async checkpoint(): Promise<Json> {
      const known = prefix === plan.count ? await marks(NEVER) : {};
      return toCheckpoint(file, plan, { by: 'chunks', user, parts: prefix, ...known });
    },

    async finish(_digest, signal) {
      const known = await marks(signal);
      const whole = { final, size: file.size, ...known, hasOurTime: true };
      const isThere = await look(server, places.folder, signal);
      if (!isThere) {
        if (!(await findOurs(server, whole, signal))) throw uploadLost('its chunks are gone');
        return proveSize(server, file, HOW, signal);
      }
      if (prefix < plan.count) throw shortWrite();
      const mtime = String(Math.floor(Date.parse(known.ours.modified ?? '') / 1000));
      try {
        // The temporary file of other servers keeps its folder; here nothing does.
        server.knownFolders.clear();
        await preparePlace(server, file, signal);
        await publish(
          server,
          {
            ...whole,
            ...{ source: places.whole, leftover: places.folder, target: places.final },
            headers: { ...headers, 'x-oc-mtime': mtime },
            notItself: [502],
          },
          signal,
        );
      } catch (thrown) {
        throw explain(thrown);
      }
      return proveSize(server, file, HOW, signal);
    },

    async abort() {
      await server.call(NEVER, { method: 'DELETE', url: places.folder, expect: [404] });
    },
  };
}

/** The folder of the chunks lives for a day, and then nothing of it can be used. */
function explain(thrown: unknown): unknown {
  const status = statusOf(thrown);
  if (status === undefined || !GONE.includes(status)) return thrown;
  return uploadLost('the server drops what is not finished within a day');
}
