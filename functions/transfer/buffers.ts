/**
 * Memory for parts under way, used again for every archive of a worker's life, which carries out one job at
 * a time: what a job before had would stay beside its own until V8 collects all garbage.
 */
export interface Buffers {
  /** Bytes that all buffers together may take. */
  readonly budget: number;
  /** Up to `count` buffers of `bytes` each, as many as the budget allows and at least one. */
  lend(count: number, bytes: number): readonly Buffer[];
}

export function openBuffers(budget: number): Buffers {
  let buffers: Buffer[] = [];
  return {
    budget,
    lend(count, bytes) {
      const fitting = Math.max(1, Math.min(count, Math.floor(budget / bytes)));
      // Outside of Node's shared pool, since these live as long as the process.
      if (buffers.some((buffer) => buffer.length !== bytes)) buffers = [];
      while (buffers.length < fitting) buffers.push(Buffer.allocUnsafeSlow(bytes));
      return buffers.slice(0, fitting);
    },
  };
}
