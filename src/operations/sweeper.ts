import { setTimeout as sleep } from 'node:timers/promises';
import { describeError, type Log } from './log.ts';

/** Deletes at most `limit` rows that are out of use at `now`; `hasMore` when another batch is worth while at once. */
export type Sweep = (now: number, limit: number) => Promise<{ deleted: number; hasMore: boolean }>;

export interface Sweeper {
  /** Resolves when the batch that runs is done. */
  close(): Promise<void>;
}

interface SweeperOptions {
  sweeps: readonly Sweep[];
  log: Log;
  now?: () => number;
  /** From the end of a round to the next one, give or take a half: instances must not move in step. */
  intervalMs: number;
  batchSize?: number;
  /** Between two batches, for the logins that wait. */
  restMs?: number;
  random?: () => number;
}

/**
 * Deletes what has expired, in batches too small to be felt. It takes no lock: of two instances at once, each deletes what
 * the other has left, and one that loses a conflict tries again at the next round.
 */
export function startSweeper({
  sweeps,
  log,
  now = Date.now,
  intervalMs,
  batchSize = 500,
  restMs = 50,
  random = Math.random,
}: SweeperOptions): Sweeper {
  const stop = new AbortController();
  const running = run();
  return {
    close: () => {
      stop.abort();
      return running;
    },
  };

  async function run(): Promise<void> {
    while (await rested(intervalMs * (0.5 + random()))) {
      let count = 0;
      for (const sweep of sweeps) {
        try {
          for (let swept = { deleted: 0, hasMore: true }; swept.hasMore && (await rested(restMs));) {
            swept = await sweep(now(), batchSize);
            count += swept.deleted;
          }
        } catch (error) {
          log.warn(describeError(error), 'sweeping stopped until the next round');
        }
      }
      if (count > 0) log.info({ count }, 'swept expired rows');
    }
  }

  /** False when it is time to stop. */
  async function rested(ms: number): Promise<boolean> {
    await sleep(ms, undefined, { signal: stop.signal, ref: false }).catch(() => {});
    return !stop.signal.aborted;
  }
}
