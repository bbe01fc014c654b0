import { z } from 'zod';
import type { Destination, RemoteFile, Upload } from '../../../functions/destinations/contract.ts';
import type { Invocation } from '../cloud/environment.ts';
import { besideUploads } from './common.ts';
import { contentHash, openDropboxSessions, partHashes } from './dropbox-sessions.ts';
import { damaged, type Line, openLine, uploadLost } from './line.ts';
import { openShelf, type Server, type ServerSite, secondsNow, sha256Of } from './server.ts';

interface Standing {
  readonly id?: string | undefined;
  readonly isClosed: boolean;
  readonly held: number;
  /** Of the parts up to `held`. */
  readonly hash: string;
}

const saved = z.strictObject({
  transferId: z.string(),
  partSize: z.number(),
  id: z.string(),
  parts: z.number(),
  hash: z.string(),
});

/** A Dropbox, and how the driver goes about it. */
export function openDropboxServer(site: ServerSite): Server {
  const { condition, nature, part: preferred } = site;
  const shelf = openShelf(site);
  const sessions = openDropboxSessions(site, shelf);

  const openUpload = (
    line: Line,
    file: RemoteFile,
    plan: { count: number; partSize: number },
    standing: Standing,
    by: Invocation,
  ): Upload => {
    const { path, transferId } = file;
    let { id, isClosed, hash } = standing;
    const arrived = new Map<number, string>();
    let prefix = standing.held;
    let last: Buffer | undefined;
    let closing: Promise<void> | undefined;
    const hashOf = (bytes: Buffer) => partHashes(bytes, plan.partSize);
    const settle = () => {
      while (arrived.has(prefix) && (prefix < plan.count - 1 || isClosed)) {
        hash = sha256Of(hash, arrived.get(prefix) ?? '');
        arrived.delete(prefix);
        prefix += 1;
      }
    };
    const close = async (session: string, bytes: Buffer, signal: AbortSignal) => {
      const offset = plan.partSize * (plan.count - 1);
      const how = { signal, bytes: bytes.length, writes: true };
      await line.ask(`close ${path}`, () => sessions.append(session, offset, bytes, true), how);
      isClosed = true;
    };
    return {
      held: standing.held,
      async writePart({ number, offset, bytes }, signal) {
        const body = Buffer.from(bytes);
        const how = { signal, bytes: body.length, writes: true };
        id ??= await line.ask('start', sessions.start, { signal });
        const session = id;
        if (number === plan.count - 1) last = body;
        else if (!isClosed) {
          const effect = () => sessions.append(session, offset, body, false);
          if ((await line.ask(`piece ${number} of ${path}`, effect, how)) === 'closed') {
            isClosed = true;
          }
        }
        if (number >= prefix) arrived.set(number, hashOf(body).join());
        settle();
        const isComplete = prefix === plan.count - 1 && arrived.has(prefix);
        if (!isComplete || isClosed || !last) return;
        closing ??= close(session, last, signal).finally(() => {
          closing = undefined;
        });
        await closing;
        settle();
      },
      async checkpoint() {
        return id === undefined
          ? undefined
          : { transferId, partSize: plan.partSize, id, parts: prefix, hash };
      },
      async finish(digest, signal) {
        const session = id;
        if (plan.count > 0 && (session === undefined || prefix < plan.count)) {
          throw uploadLost('not all of its parts have been sent');
        }
        const empty = () => {
          shelf.publish(path, { bytes: Buffer.alloc(0), modified: secondsNow(nature) }, by);
          return shelf.files.get(path);
        };
        const effect = () => (session === undefined ? empty() : sessions.finish(session, file, by));
        const look = () => shelf.files.get(path);
        const published = await line.ask(`finish ${path}`, effect, { signal });
        const found = published ?? (await line.ask(`look at ${path}`, look, { signal }));
        const wanted = hash;
        const isWhole =
          found?.bytes.length === digest.size &&
          contentHash(found.bytes, plan.partSize, plan.count) === wanted;
        if (isWhole) {
          const how = "Dropbox's content_hash over the whole file";
          return { verified: 'checksum', how, remotePath: path, size: digest.size };
        }
        if (!published) throw uploadLost('its session is gone');
        await line.ask(`remove ${path}`, () => shelf.remove(path), { signal });
        throw damaged('later');
      },
      async abort() {},
    };
  };

  const connect = (invocation: Invocation, password: string): Destination => {
    const line = openLine(site, {
      invocation,
      password,
      attempts: 3,
      forget: sessions.forget,
    });
    const open = (
      ...[file, plan, standing]: [RemoteFile, { count: number; partSize: number }, Standing]
    ) => openUpload(line, file, plan, standing, invocation);
    return {
      ...besideUploads(shelf, line),
      capabilities: async () => ({
        writes: 'any-order',
        part: { min: preferred, max: 2 ** 30, preferred, multiple: preferred, most: 2 ** 20 },
        parallel: 3,
        resume: 'parts',
        publish: 'atomic',
        proof: 'checksum',
      }),
      async begin(file, plan, signal) {
        const id = plan.count > 1 ? await line.ask('start', sessions.start, { signal }) : undefined;
        return open(file, plan, { id, isClosed: false, held: 0, hash: '' });
      },
      async resume(file, plan, checkpoint, signal) {
        const { success, data } = saved.safeParse(checkpoint);
        const fits =
          success && data.transferId === file.transferId && data.partSize === plan.partSize;
        if (!fits) throw uploadLost('its saved state is of another file');
        const { id, parts: held, hash } = data;
        const isComplete = held === plan.count;
        const found = await line.ask('probe', () => sessions.probe(id), {
          signal,
        });
        if (!found) {
          const file2 = isComplete
            ? await line.ask('look', () => shelf.files.get(file.path), { signal })
            : undefined;
          const isThere = file2 && contentHash(file2.bytes, plan.partSize, plan.count) === hash;
          if (!isThere) throw uploadLost('its session is not known any more');
        }
        return open(file, plan, {
          id,
          isClosed: isComplete || found?.isClosed === true,
          held,
          hash,
        });
      },
    };
  };

  return {
    name: site.name,
    kind: 'dropbox',
    shelf,
    condition,
    canResume: true,
    connect,
    // Sessions go by themselves, and there is no request that drops one.
    leftovers: () => [],
  };
}
