/** Something happened that must never happen. */
export interface Violation {
  readonly invariant: string;
  /** What was seen, in one sentence. */
  readonly seen: string;
}

/** Keeps the first violation; the world ends with it. */
export interface Judge {
  violate(invariant: string, seen: string): void;
  readonly verdict: Violation | undefined;
}

export function openJudge(): Judge {
  let verdict: Violation | undefined;
  return {
    violate(invariant, seen) {
      verdict ??= { invariant, seen };
    },
    get verdict() {
      return verdict;
    },
  };
}
