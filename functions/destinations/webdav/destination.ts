import { setTimeout as wait } from 'node:timers/promises';
import { GiB, MiB } from '../../core/parts.ts';
import type { Capabilities, Destination, RemoteFile } from '../contract.ts';
import type { Surroundings } from '../surroundings.ts';
import { checkServer } from './check.ts';
import { readCheckpoint } from './checkpoint.ts';
import { beginChunked, resumeChunked } from './chunked-upload.ts';
import type { Strategy } from './probe.ts';
import { beginRanged, resumeRanged } from './ranged-upload.ts';
import { listFiles, readFile, statFile } from './reading.ts';
import type { Remote } from './remote.ts';
import { openServer } from './server.ts';
import type { WebDavSettings } from './settings.ts';
import { beginSingle } from './single-upload.ts';
import { openStrategies } from './strategy.ts';
import { beginWhole, resumeWhole } from './whole-upload.ts';

/** What is called off at the end may take so long; a server that does not answer is left. */
const CLOSING_MS = 5000;
const NO_LIMIT = Number.MAX_SAFE_INTEGER;
const IN_ORDER = {
  part: { min: MiB / 16, max: GiB, preferred: 8 * MiB, multiple: 1, most: NO_LIMIT },
  parallel: 1,
  publish: 'rename',
  proof: 'size',
} as const;

const CAPABILITIES: Readonly<Record<Strategy['by'], Capabilities>> = {
  'put-range': { ...IN_ORDER, writes: 'append', resume: 'parts' },
  patch: { ...IN_ORDER, writes: 'append', resume: 'parts' },
  whole: { ...IN_ORDER, writes: 'whole', resume: 'none' },
  // docs.nextcloud.com/server/latest/developer_manual/client_apis/WebDAV/chunking.html
  chunks: {
    writes: 'any-order',
    part: { min: 5 * MiB, max: 5 * GiB, preferred: 10 * MiB, multiple: 1, most: 10_000 },
    parallel: 4,
    resume: 'parts',
    publish: 'atomic',
    // nextcloud/server, lib/private/Files/Filesystem.php: normalizePath.
    composesNames: true,
    proof: 'size',
  },
};

/** A folder on a WebDAV server. Nothing is sent before the first call. */
export async function openWebDav(
  settings: WebDavSettings,
  surroundings: Surroundings,
): Promise<Destination> {
  const server = openServer(settings, surroundings.egress);
  const closing = new AbortController();
  const strategies = openStrategies(server, surroundings, closing.signal);
  const remote: Remote = {
    server,
    strategies,
    requests: { mostBytes: NO_LIMIT },
    atClose: new Set(),
  };

  return {
    async capabilities(signal) {
      const { by, foldsCase } = await strategies.find(signal);
      return { ...CAPABILITIES[by], foldsCase };
    },
    check: (signal) => checkServer(remote, signal),

    async begin(file, plan, signal) {
      const strategy = await strategies.find(signal);
      switch (strategy.by) {
        case 'chunks':
          return plan.count > 1
            ? beginChunked(remote, file, plan, strategy.user, signal)
            : beginSingle(remote, file, plan);
        case 'whole':
          return beginWhole(remote, file, plan, signal);
        default:
          return beginRanged(remote, file, plan, strategy.by, signal);
      }
    },

    /** In the way that it was begun, whatever is known of the server by now. */
    async resume(file: RemoteFile, plan, checkpoint, signal) {
      const saved = readCheckpoint(checkpoint, file, plan);
      switch (saved.by) {
        case 'chunks':
          return resumeChunked(remote, file, plan, saved, saved.user ?? '', signal);
        case 'whole':
          return resumeWhole(remote, file, plan, saved, signal);
        default:
          return resumeRanged(remote, file, plan, saved, saved.by, signal);
      }
    },

    stat: (path, signal) => statFile(server, path, signal),
    list: (prefix, signal) => listFiles(server, prefix.replace(/\/$/, ''), signal),
    read: (path, signal, range) => readFile(server, path, signal, range),
    async remove(path, signal) {
      await server.call(signal, { method: 'DELETE', url: server.fileUrl(path), expect: [404] });
    },
    async close() {
      closing.abort();
      const stopping = Promise.allSettled([...remote.atClose].map((stop) => stop()));
      await Promise.race([stopping, wait(CLOSING_MS, undefined, { ref: false })]);
      server.close();
    },
  };
}
