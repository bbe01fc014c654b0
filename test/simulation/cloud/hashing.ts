import { createHash, type Hash } from 'node:crypto';
import type { Hashing, RunningHash } from '../../../functions/core/running-hash.ts';

/**
 * SHA-256 whose state can leave the process without the megabytes of WebAssembly that it takes in
 * earnest, and without waiting for it: what is saved names a copy that is kept here.
 * @param isPortable whether states can be carried on at all
 */
export function openHashing(isPortable: boolean): Hashing {
  const states = new Map<string, Hash>();

  const running = (hash: Hash): RunningHash => ({
    update: (bytes) => void hash.update(bytes),
    save() {
      if (!isPortable) return undefined;
      const name = `state-${states.size + 1}`;
      states.set(name, hash.copy());
      return name;
    },
    finish: () => hash.digest('hex'),
  });

  return {
    start: async () => running(createHash('sha256')),
    async resume(state) {
      const saved = isPortable ? states.get(state) : undefined;
      return saved && running(saved.copy());
    },
  };
}
