import { createHash } from 'node:crypto';
import { createSHA256 } from 'hash-wasm';
import { GiB } from '../core/parts.ts';
import type { Hashing, RunningHash } from '../core/running-hash.ts';

/**
 * Archives up to this many bytes use Node's native SHA-256, several times as fast as WebAssembly, but
 * its state cannot leave the process: should such a transfer be interrupted, the parts that have
 * arrived are read from staging once more, and the hash is a portable one from then on. Larger archives
 * are expected to need several invocations.
 */
const NATIVE_LIMIT = 16 * GiB;

/**
 * SHA-256 over whole archives, by size of the archive either fast or portable. The portable state is
 * 116 bytes and starts with a fingerprint of the hash-wasm build, which refuses any other's.
 */
export const sha256: Hashing = {
  start: async (size) => (size > NATIVE_LIMIT ? portable(await createSHA256()) : native()),
  async resume(state) {
    const hasher = await createSHA256();
    try {
      return portable(hasher.load(Buffer.from(state, 'base64')));
    } catch {
      return undefined;
    }
  },
};

function portable(hasher: Awaited<ReturnType<typeof createSHA256>>): RunningHash {
  return {
    update: (bytes) => void hasher.update(bytes),
    save: () => Buffer.from(hasher.save()).toString('base64'),
    finish: () => hasher.digest('hex'),
  };
}

function native(): RunningHash {
  const hash = createHash('sha256');
  return {
    update: (bytes) => void hash.update(bytes),
    save: () => undefined,
    finish: () => hash.digest('hex'),
  };
}
