import { z } from 'zod';
import { FerryError } from '../../../functions/core/errors.ts';
import type { Destination, RemoteFile, Upload } from '../../../functions/destinations/contract.ts';
import type { Invocation } from '../cloud/environment.ts';
import { besideUploads } from './common.ts';
import { damaged, type Line, onTheWire, openLine, uploadLost } from './line.ts';
import { openShelf, type Server, type ServerSite, secondsNow } from './server.ts';

const saved = z.strictObject({ transferId: z.string(), partSize: z.number(), parts: z.number() });

/** A container: blocks wait under the name of their blob until a list of them is committed. */
export function openAzureServer(site: ServerSite): Server {
  const { condition, nature, part: preferred } = site;
  const shelf = openShelf(site);
  /** By blob name; one pool for whoever writes to that name. */
  const pools = new Map<string, Map<string, Buffer>>();
  const poolOf = (path: string) => pools.get(path) ?? new Map<string, Buffer>();

  const conditionFails = () =>
    new FerryError('server-error', 'Something else wrote the same file. Ferry tries again later.', {
      retry: 'later',
      scope: 'archive',
    });
  const commit = (
    path: string,
    ids: readonly string[],
    before: string | undefined,
    mark: string,
    by: Invocation,
  ) => {
    if (shelf.files.get(path)?.etag !== before) throw conditionFails();
    const pool = poolOf(path);
    const blocks = ids.map((id) => pool.get(id));
    if (blocks.includes(undefined)) throw uploadLost('InvalidBlockList');
    const bytes = Buffer.concat(blocks.map((block) => block ?? Buffer.alloc(0)));
    // A commit drops every other block that waits under the name.
    pools.delete(path);
    shelf.publish(path, { bytes, mark, modified: secondsNow(nature) }, by);
  };

  const openUpload = (
    line: Line,
    file: RemoteFile,
    plan: { count: number; partSize: number },
    held: number,
    by: Invocation,
  ): Upload => {
    const { path, transferId } = file;
    const idOf = (number: number) => `${transferId}-${plan.partSize}-${number}`;
    const settled = new Set<number>();
    let prefix = held;
    const look = (signal?: AbortSignal) =>
      line.ask(`head ${path}`, () => shelf.files.get(path), signal && { signal });
    return {
      held,
      async writePart({ number, bytes }, signal) {
        const body = Buffer.from(bytes);
        const effect = () => {
          const arrived = onTheWire(site, body);
          if (!arrived.equals(body)) throw damaged('now');
          pools.set(path, poolOf(path).set(idOf(number), arrived));
        };
        await line.ask(`block ${number} of ${path}`, effect, {
          signal,
          bytes: body.length,
          writes: true,
        });
        settled.add(number);
        while (settled.delete(prefix)) prefix += 1;
      },
      checkpoint: async () => ({ transferId, partSize: plan.partSize, parts: prefix }),
      async finish(digest, signal) {
        const before = await look(signal);
        if (before?.mark !== transferId || before.bytes.length !== file.size) {
          const ids = Array.from({ length: plan.count }, (_, number) => idOf(number));
          try {
            const effect = () => commit(path, ids, before?.etag, transferId, by);
            await line.ask(`commit ${path}`, effect, { signal });
          } catch (thrown) {
            const found = await look(signal);
            if (found?.mark !== transferId || found.bytes.length !== file.size) throw thrown;
          }
        }
        const found = await look(signal);
        if (found?.mark === transferId && found.bytes.length === digest.size) {
          const how = 'Azure checked the MD5 of every block';
          return { verified: 'checksum', how, remotePath: path, size: digest.size };
        }
        throw damaged('later');
      },
      // Azure has no request that drops blocks; they are not visible, and go after seven days.
      async abort() {},
    };
  };

  const connect = (invocation: Invocation, password: string): Destination => {
    const forget = () => {
      const [first] = pools.keys();
      if (first !== undefined) pools.delete(first);
    };
    const line = openLine(site, { invocation, password, attempts: 3, forget });
    return {
      ...besideUploads(shelf, line),
      capabilities: async () => ({
        writes: 'any-order',
        part: { min: 1, max: 2 ** 30, preferred, multiple: 1, most: 50_000 },
        parallel: 4,
        resume: 'parts',
        publish: 'atomic',
        proof: 'checksum',
      }),
      begin: async (file, plan) => openUpload(line, file, plan, 0, invocation),
      async resume(file, plan, checkpoint, signal) {
        const { success, data } = saved.safeParse(checkpoint);
        const { path, transferId, size } = file;
        const fits = success && data.transferId === transferId && data.partSize === plan.partSize;
        if (!fits) throw uploadLost('its saved state is of another file');
        const pool = await line.ask(`list blocks of ${path}`, () => new Map(poolOf(path)), {
          signal,
        });
        let held = 0;
        while (held < plan.count && pool.has(`${transferId}-${plan.partSize}-${held}`)) held += 1;
        if (held > 0 || data.parts === 0) return openUpload(line, file, plan, held, invocation);
        const found = await line.ask(`head ${path}`, () => shelf.files.get(path), { signal });
        if (found?.mark === transferId && found.bytes.length === size) {
          return openUpload(line, file, plan, plan.count, invocation);
        }
        throw uploadLost('Azure does not have its parts any more');
      },
    };
  };

  return {
    name: site.name,
    kind: 'azure',
    shelf,
    condition,
    canResume: true,
    connect,
    leftovers: () => [],
  };
}
