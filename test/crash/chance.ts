/** Choices that a seed repeats. */
export interface Chance {
  /** From 0 up to 1. */
  next(): number;
  /** A whole number from `least` up to, not including, `end`. */
  whole(least: number, end: number): number;
  shuffle<T>(items: readonly T[]): T[];
}

/** Mulberry32, of which a seed of 32 bits is enough here. */
export function openChance(seed: number): Chance {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const whole = (least: number, end: number) => least + Math.floor(next() * (end - least));
  return {
    next,
    whole,
    shuffle(items) {
      const left = [...items];
      return items.flatMap(() => left.splice(whole(0, left.length), 1));
    },
  };
}

/** A seed of its own for each thing that is named, so that one's choices do not depend on the others'. */
export function seedOf(seed: number, ...names: readonly (string | number)[]): number {
  let mixed = seed >>> 0;
  for (const letter of names.join('#')) mixed = Math.imul(mixed ^ letter.charCodeAt(0), 0x01000193);
  return mixed >>> 0;
}
