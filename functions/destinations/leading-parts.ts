/** Counts how many parts have arrived without a gap, while they arrive in any order. */
export interface LeadingParts {
  readonly count: number;
  /** Notes that a part, from 0, has arrived. */
  settle(number: number): void;
}

/** @param held how many leading parts are there already */
export function openLeadingParts(held: number): LeadingParts {
  const settled = new Set<number>();
  let count = held;
  return {
    get count() {
      return count;
    },
    settle(number) {
      settled.add(number);
      while (settled.delete(count)) count += 1;
    },
  };
}
