import { setTimeout as wait } from 'node:timers/promises';
import { abortError, FerryError, toFerryError } from '../../functions/core/errors.ts';
import { MiB, type PartPlan } from '../../functions/core/parts.ts';
import type {
  Capabilities,
  Destination,
  Json,
  Part,
  RemoteFile,
  Upload,
} from '../../functions/destinations/contract.ts';
import { digestOf } from './sample.ts';

/** What a server in memory holds; several destinations may be open on one. */
export interface MemoryServer {
  readonly files: Map<string, Buffer>;
  readonly unfinished: Map<string, Map<number, Buffer>>;
  /** Called before each effect with its name; may throw, wait or change bytes under way. */
  before(step: 'begin' | 'resume' | 'write' | 'checkpoint' | 'finish', part?: Part): Promise<void>;
  /** What a reader gets in place of these bytes; may wait. */
  onRead(bytes: Buffer): Promise<Buffer>;
}

export function openMemoryServer(): MemoryServer {
  return {
    files: new Map(),
    unfinished: new Map(),
    before: async () => {},
    onRead: async (bytes) => bytes,
  };
}

/**
 * A destination in memory that keeps the whole contract. Where the engine is tested it stands in for
 * real ones, which is why it has to pass the conformance suite like they do.
 */
export function openMemoryDestination(
  server: MemoryServer,
  capabilities: Partial<Capabilities> = {},
): Destination {
  const lost = () =>
    new FerryError('upload-lost', 'The upload is not known here.', {
      retry: 'now',
      scope: 'archive',
    });

  const uploadOf = (file: RemoteFile, plan: PartPlan, held: number): Upload => {
    const parts = () => server.unfinished.get(file.transferId);
    return {
      held,
      async writePart(part, signal) {
        const bytes = Buffer.from(part.bytes);
        await whileNot(signal, server.before('write', { ...part, bytes }));
        const into = parts();
        if (!into) throw lost();
        into.set(part.number, bytes);
      },
      async checkpoint() {
        await server.before('checkpoint');
        const isWhole = parts()?.size === plan.count;
        if (capabilities.resume === 'none' && !isWhole) return undefined;
        return { v: 1, transferId: file.transferId, partSize: plan.partSize };
      },
      async finish(digest, signal) {
        await whileNot(signal, server.before('finish'));
        const held = parts();
        const bytes = held
          ? Buffer.concat(
              Array.from({ length: plan.count }, (_, n) => held.get(n) ?? Buffer.alloc(0)),
            )
          : server.files.get(file.path);
        if (!bytes) throw lost();
        if (digestOf(bytes).sha256 !== digest.sha256) {
          throw new FerryError('corrupted', 'What arrived is not what was sent.', { retry: 'now' });
        }
        server.files.set(file.path, bytes);
        server.unfinished.delete(file.transferId);
        const { length: size } = bytes;
        return {
          verified: capabilities.proof ?? 'checksum',
          how: 'SHA-256 in memory',
          remotePath: `memory:/${file.path}`,
          size,
        };
      },
      async abort() {
        server.unfinished.delete(file.transferId);
      },
    };
  };

  return {
    capabilities: async () => ({
      writes: 'any-order',
      part: { min: 1, max: 64 * MiB, preferred: 64 * 1024, multiple: 1, most: 10_000 },
      parallel: 3,
      resume: 'parts',
      publish: 'atomic',
      proof: 'checksum',
      ...capabilities,
    }),
    async *check() {
      const error = await server.before('begin').then(() => undefined, toFerryError);
      yield { step: 'authentication', ms: 0, error };
      if (error) return;
      for (const step of ['write', 'read back', 'delete']) yield { step, ms: 0 };
    },
    async begin(file, plan, signal) {
      await whileNot(signal, server.before('begin'));
      server.unfinished.set(file.transferId, new Map());
      return uploadOf(file, plan, 0);
    },
    async resume(file, plan, checkpoint, signal) {
      await whileNot(signal, server.before('resume'));
      if (!isCheckpoint(checkpoint, file, plan)) throw lost();
      const parts = server.unfinished.get(file.transferId);
      if (!parts) {
        const finished = server.files.get(file.path);
        if (finished?.length !== file.size) throw lost();
        return uploadOf(file, plan, plan.count);
      }
      let held = 0;
      while (parts.has(held)) held += 1;
      return uploadOf(file, plan, held);
    },
    async stat(path) {
      const bytes = server.files.get(path);
      return bytes && { path, size: bytes.length, modifiedAt: new Date() };
    },
    async *list(prefix) {
      for (const [path, bytes] of server.files) {
        if (prefix !== '' && !path.startsWith(`${prefix}/`)) continue;
        yield { path, size: bytes.length, modifiedAt: new Date() };
      }
    },
    async *read(path, _signal, range) {
      const bytes = server.files.get(path);
      if (!bytes) {
        const message = `There is no file ${path}.`;
        throw new FerryError('not-found', message, { retry: 'never', scope: 'archive' });
      }
      yield await server.onRead(bytes.subarray(range?.from ?? 0, range?.to ?? bytes.length));
    },
    async remove(path) {
      server.files.delete(path);
    },
    async close() {},
  };
}

/** Settles with `work`, or at once when the signal is aborted. */
async function whileNot(signal: AbortSignal, work: Promise<void>): Promise<void> {
  const stopped = new AbortController();
  const stop = () => stopped.abort();
  signal.addEventListener('abort', stop, { once: true });
  try {
    const never = wait(2 ** 30, undefined, { signal: stopped.signal, ref: false });
    await Promise.race([work, never.catch(() => Promise.reject(abortError(signal)))]);
    if (signal.aborted) throw abortError(signal);
  } finally {
    signal.removeEventListener('abort', stop);
    stopped.abort();
  }
}

function isCheckpoint(checkpoint: Json, file: RemoteFile, plan: PartPlan): boolean {
  const expected = { v: 1, transferId: file.transferId, partSize: plan.partSize };
  return JSON.stringify(checkpoint) === JSON.stringify(expected);
}
