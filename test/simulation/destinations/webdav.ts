import { z } from 'zod';
import { unlessAborted } from '../../../functions/core/stopping.ts';
import type {
  Capabilities,
  Destination,
  RemoteFile,
  Upload,
} from '../../../functions/destinations/contract.ts';
import type { Invocation } from '../cloud/environment.ts';
import { besideUploads } from './common.ts';
import { type Line, openLine, shortWrite, uploadLost } from './line.ts';
import { openShelf, type Server, type ServerSite } from './server.ts';
import { openTemporaryFile, openWebDavFolder, type TemporaryFile } from './webdav-folder.ts';

type Plan = { readonly count: number; readonly partSize: number };
type Way = 'ranges' | 'whole';
type Deferred = PromiseWithResolvers<void>;

const mark = z.strictObject({ etag: z.string(), modified: z.number() });
const saved = z.strictObject({
  transferId: z.string(),
  partSize: z.number(),
  parts: z.number(),
  ours: mark.optional(),
  before: mark.nullable().optional(),
});

/** How many parts go in one request at most. */
const LONGEST_SPAN = 5;

/** WebDAV with ranged PUTs, one at a time and in order; the trait: a file that is moved keeps its ETag. */
export const openWebDavServer = (site: ServerSite) => openFolderServer(site, 'ranges');

/** WebDAV that takes a file as one body only, and keeps nothing of one that breaks. */
export const openWholeWebDavServer = (site: ServerSite) => openFolderServer(site, 'whole');

function openFolderServer(site: ServerSite, way: Way): Server {
  const { condition, nature, part: preferred, trait: keepsEtag } = site;
  const shelf = openShelf(site);
  const folder = openWebDavFolder(nature, shelf, keepsEtag);
  const limits = { part: { min: 1, max: 2 ** 30, preferred, multiple: 1, most: 2 ** 30 } };
  const capabilities: Capabilities = {
    ...limits,
    writes: way === 'ranges' ? 'append' : 'whole',
    parallel: 1,
    resume: way === 'ranges' ? 'parts' : 'none',
    publish: 'rename',
    proof: 'size',
  };

  /** What a server stores of a body: sometimes less than it acknowledges. */
  const store = (name: string, offset: number, bytes: Buffer, by: Invocation) => {
    const isShort = bytes.length > 1 && nature.faults.strikes('short');
    const kept = isShort ? bytes.subarray(0, nature.random.between(1, bytes.length - 1)) : bytes;
    folder.put(name, offset, kept, by);
  };

  const ranged = (
    line: Line,
    file: RemoteFile,
    plan: Plan,
    temporary: TemporaryFile,
    held: number,
    by: Invocation,
  ): Upload => {
    const { transferId } = file;
    let prefix = held;
    /** Parts that go in one request, which the last of them ends. */
    let span: { offset: number; end: number; body: Buffer[]; arrived: Deferred } | undefined;

    const send = async (offset: number, body: Buffer, signal: AbortSignal) => {
      const how = { signal, bytes: body.length, writes: true };
      const effect = () => store(temporary.name, offset, body, by);
      await line.ask(`put ${file.path} at ${offset}`, effect, how);
      const size = (await temporary.size(signal)) ?? 0;
      if (size >= offset + body.length) return;
      throw offset === 0 ? shortWrite() : uploadLost('the server has less than was sent');
    };
    /** The server has the beginning of what was broken off. */
    const breakOff = () => {
      if (!span) return;
      const body = Buffer.concat(span.body);
      const { offset } = span;
      span = undefined;
      const came = body.subarray(0, nature.random.between(0, body.length));
      if (folder.look(temporary.name)) folder.put(temporary.name, offset, came, by);
    };
    return {
      held,
      async writePart({ number, offset, bytes }, signal, promised) {
        if (number > prefix + (span?.body.length ?? 0)) {
          throw uploadLost('the part before is missing');
        }
        const following = number === 0 ? 0 : (promised?.following ?? 0);
        if (!span) {
          const end = number + Math.min(LONGEST_SPAN, 1 + following);
          span = { offset, end, body: [], arrived: Promise.withResolvers() };
          span.arrived.promise.catch(() => {});
        }
        const { end, arrived, body } = span;
        body.push(Buffer.from(bytes));
        if (number < end - 1) {
          promised?.release();
          signal.addEventListener('abort', breakOff);
          return unlessAborted(arrived.promise, signal);
        }
        try {
          const { offset: from } = span;
          span = undefined;
          await send(from, Buffer.concat(body), signal);
          prefix = Math.max(prefix, number + 1);
          arrived.resolve();
        } catch (thrown) {
          arrived.reject(thrown);
          throw thrown;
        }
      },
      async checkpoint() {
        const parts = prefix;
        const marks = parts === plan.count ? await temporary.marks() : {};
        return json({ transferId, partSize: plan.partSize, parts, ...marks });
      },
      finish: (digest, signal) => temporary.finish(digest, signal),
      abort: () => temporary.remove(),
    };
  };

  const whole = (
    line: Line,
    file: RemoteFile,
    plan: Plan,
    temporary: TemporaryFile,
    held: number,
    by: Invocation,
  ): Upload => {
    const { path, transferId } = file;
    let body: Buffer[] = [];
    let next = held;
    return {
      held,
      async writePart({ number, bytes }, signal) {
        if (number < next) return;
        if (number !== next) throw uploadLost('the server takes a file in one piece only');
        body.push(Buffer.from(bytes));
        const isLast = number === plan.count - 1;
        const how = { signal, bytes: bytes.length, writes: true };
        const all = Buffer.concat(body);
        const effect = () => {
          if (isLast) store(temporary.name, 0, all, by);
        };
        try {
          await line.ask(`body ${number} of ${path}`, effect, how);
          if (isLast && (await temporary.size(signal)) !== file.size) throw shortWrite();
        } catch (thrown) {
          body = [];
          next = 0;
          throw thrown;
        }
        next = number + 1;
      },
      async checkpoint() {
        if (next < plan.count) return undefined;
        const marks = await temporary.marks();
        return json({ transferId, partSize: plan.partSize, parts: next, ...marks });
      },
      finish: (digest, signal) => temporary.finish(digest, signal),
      abort: () => temporary.remove(),
    };
  };

  const connect = (invocation: Invocation, password: string): Destination => {
    const line = openLine(site, {
      invocation,
      password,
      attempts: 2,
      forget() {
        const [first] = folder.names();
        if (first !== undefined) folder.delete(first);
      },
    });
    const write = way === 'ranges' ? ranged : whole;
    return {
      ...besideUploads(shelf, line),
      capabilities: async () => capabilities,
      async begin(file, plan, signal) {
        const temporary = openTemporaryFile(site, line, folder, shelf, file, invocation);
        await line.ask(`folder of ${file.path}`, () => {}, { signal });
        const { name } = temporary;
        if (plan.count === 0) {
          const effect = () => folder.put(name, 0, Buffer.alloc(0), invocation);
          await line.ask(`put ${name}`, effect, { signal, writes: true });
        }
        return write(line, file, plan, temporary, 0, invocation);
      },
      async resume(file, plan, checkpoint, signal) {
        const { success, data } = saved.safeParse(checkpoint);
        const fits =
          success && data.transferId === file.transferId && data.partSize === plan.partSize;
        if (!fits) throw uploadLost('its saved state is of another file');
        const temporary = openTemporaryFile(site, line, folder, shelf, file, invocation, data);
        const size = await temporary.size(signal);
        const open = (held: number) => write(line, file, plan, temporary, held, invocation);
        if (size === undefined) {
          const isHere =
            (way === 'ranges' && data.parts === 0) || (await temporary.isPublished(signal));
          if (!isHere) throw uploadLost('the server does not have it any more');
          return open(data.parts);
        }
        if (size === file.size) return open(data.parts);
        if (size > file.size || way === 'whole') throw uploadLost('the server has something else');
        return open(Math.min(data.parts, Math.floor(size / plan.partSize)));
      },
    };
  };

  return {
    name: site.name,
    kind: way === 'ranges' ? 'webdav' : 'webdav-whole',
    shelf,
    condition,
    canResume: way === 'ranges',
    connect,
    leftovers: folder.leftovers,
  };
}

/** Without what is undefined. */
function json(state: object) {
  return JSON.parse(JSON.stringify(state));
}
