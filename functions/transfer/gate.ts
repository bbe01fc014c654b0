/** Lets parts start in the order of their numbers, a limited number of them at once. */
export interface Gate {
  /**
   * Calls `work` when it is this part's turn and settles as it does; rejects once the gate is closed.
   * What `work` does before its first `await` happens in order of part numbers.
   */
  pass(number: number, work: () => Promise<void>): Promise<void>;
  /** Turns away everyone who waits, and everyone who comes later. */
  close(reason: unknown): void;
}

/**
 * @param first the part that may pass first
 * @param width how many may be under way
 */
export function openGate(first: number, width: number): Gate {
  let next = first;
  let inside = 0;
  let closed: { readonly reason: unknown } | undefined;
  const waiting = new Map<number, { admit: () => void; refuse: (reason: unknown) => void }>();

  const admitNext = () => {
    for (let turn = waiting.get(next); turn && inside < width; turn = waiting.get(next)) {
      waiting.delete(next);
      next += 1;
      inside += 1;
      turn.admit();
    }
  };

  return {
    pass(number, work) {
      if (closed) return Promise.reject(closed.reason);
      return new Promise((resolve, refuse) => {
        const admit = () => {
          // Called here and not after an `await`, which would let a later part overtake.
          const done = work().finally(() => {
            inside -= 1;
            admitNext();
          });
          resolve(done);
        };
        waiting.set(number, { admit, refuse });
        admitNext();
      });
    },
    close(reason) {
      closed = { reason };
      for (const { refuse } of waiting.values()) refuse(reason);
      waiting.clear();
    },
  };
}
