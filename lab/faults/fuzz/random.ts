export type Random = ReturnType<typeof createRandom>;

/** Numbers that follow from their seed alone (mulberry32), so that a run can be made again. */
export function createRandom(seed: number) {
  let state = seed >>> 0;

  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from 0 to below `end`. */
  const below = (end: number): number => Math.floor(next() * end);
  return {
    below,
    chance: (probability: number): boolean => next() < probability,
    pick<T>(from: readonly [T, ...T[]] | readonly T[]): T {
      const chosen = from[below(from.length)];
      if (chosen === undefined) throw new RangeError('nothing to choose from');
      return chosen;
    },
    bytes: (length: number): Buffer => Buffer.from(Array.from({ length }, () => below(256))),
  };
}
