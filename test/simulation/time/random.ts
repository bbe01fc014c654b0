/** Chance that is the same for the same seed. */
export interface Random {
  /** From 0 up to 1. */
  next(): number;
  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number;
  chance(probability: number): boolean;
  pick<T>(items: readonly [T, ...T[]]): T;
  /** Another source, which takes nothing from this one but its start. */
  fork(): Random;
}

/** sfc32 of PractRand (Chris Doty-Humphrey), which has 128 bits of state and passes its tests. */
export function openRandom(seed: number): Random {
  let a = 0x9e3779b9 ^ seed;
  let b = Math.floor(seed / 2 ** 32) ^ 0x243f6a88;
  let c = 0xb7e15162;
  let counter = 1;

  const draw = () => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    c |= 0;
    return sum >>> 0;
  };
  for (let round = 0; round < 12; round++) draw();

  const next = () => draw() / 2 ** 32;
  const between = (low: number, high: number) => low + Math.floor(next() * (high - low + 1));
  return {
    next,
    between,
    chance: (probability) => next() < probability,
    pick: (items) => items[between(0, items.length - 1)] ?? items[0],
    fork: () => openRandom(draw()),
  };
}
