/** A map of at most `max` entries: the one added first makes room for a new one. */
export interface BoundedMap<Value> {
  get(key: string): Value | undefined;
  set(key: string, value: Value): void;
  entries(): IterableIterator<[string, Value]>;
  /** Drops entries from the oldest on, for as long as `expired` says so. */
  sweep(expired: (value: Value) => boolean): void;
  clear(): void;
}

/** An empty one. */
export function createBoundedMap<Value>(max: number): BoundedMap<Value> {
  const map = new Map<string, Value>();

  function dropOldest(): void {
    for (const key of map.keys()) {
      map.delete(key);
      return;
    }
  }

  return {
    get: (key) => map.get(key),
    set: (key, value) => {
      if (map.size >= max && !map.has(key)) dropOldest();
      map.set(key, value);
    },
    entries: () => map.entries(),
    sweep: (expired) => {
      for (const [key, value] of map) {
        if (!expired(value)) return;
        map.delete(key);
      }
    },
    clear: () => map.clear(),
  };
}
