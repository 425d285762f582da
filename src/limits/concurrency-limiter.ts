/** Bounds how much runs at the same time, in all and for each key. */
export interface ConcurrencyLimiter {
  /** Takes a slot and gives back the function that frees it; null when there is no slot left, in all or for this key. */
  acquire(key: string): (() => void) | null;
  /** How many slots are taken. */
  inFlight(): number;
}

interface ConcurrencyLimiterOptions {
  max: number;
  /** As many as `max` when it is left out. */
  maxPerKey?: number;
}

export function createConcurrencyLimiter({ max, maxPerKey = max }: ConcurrencyLimiterOptions): ConcurrencyLimiter {
  const countByKey = new Map<string, number>();
  let count = 0;

  return {
    acquire(key) {
      const ofKey = countByKey.get(key) ?? 0;
      if (count >= max || ofKey >= maxPerKey) return null;
      count += 1;
      countByKey.set(key, ofKey + 1);
      return () => {
        count -= 1;
        const left = (countByKey.get(key) ?? 0) - 1;
        if (left > 0) countByKey.set(key, left);
        else countByKey.delete(key);
      };
    },
    inFlight: () => count,
  };
}
