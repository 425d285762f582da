interface OnceOptions {
  /** For how long a key is remembered after its work succeeded. */
  keepMs: number;
  now: () => number;
}

const maxKeys = 10_000;

/** Work that is done once for each key, in this process: a caller that comes while it runs waits for it. */
export interface Once {
  /** Work that failed may be run again. */
  run(key: string, work: () => Promise<void>): Promise<void>;
}

export function createOnce({ keepMs, now }: OnceOptions): Once {
  /** The oldest first. */
  const runs = new Map<string, { startedAt: number; done: Promise<void> }>();

  return {
    async run(key, work) {
      for (const [known, { startedAt }] of runs) {
        if (runs.size < maxKeys && now() - startedAt <= keepMs) break;
        runs.delete(known);
      }
      const found = runs.get(key);
      if (found) return await found.done;
      const done = work();
      runs.set(key, { startedAt: now(), done });
      try {
        await done;
      } catch (error) {
        runs.delete(key);
        throw error;
      }
    },
  };
}
