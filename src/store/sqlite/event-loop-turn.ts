/** Long enough for a batch of logins, too short for other connections to notice. */
const maxTurnMs = 5;

/**
 * Bounds the synchronous work of one turn of the event loop. libsql works without leaving it, so that queued pieces of work
 * would follow each other for as long as there are any, and no request would be read meanwhile.
 */
export interface EventLoopTurn {
  /** Resolves at once while the turn has time left, and otherwise in the next turn. */
  next(): Promise<void>;
}

export function createEventLoopTurn(): EventLoopTurn {
  let startedAt: number | null = null;

  return {
    async next() {
      if (startedAt !== null && performance.now() - startedAt > maxTurnMs) {
        await new Promise<void>((resolve) => setImmediate(resolve));
      }
      if (startedAt !== null) return;
      startedAt = performance.now();
      setImmediate(() => (startedAt = null));
    },
  };
}
