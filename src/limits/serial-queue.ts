import { setTimeout as sleep } from 'node:timers/promises';
import { createConcurrencyLimiter } from './concurrency-limiter.ts';

/** Runs one piece of work at a time, in the order of arrival. */
export interface SerialQueue {
  /** Rejects with `fullError` when there is no room or the wait is too long, with `lateError` when the work takes too long. */
  run<T>(key: string, work: () => Promise<T>): Promise<T>;
}

/** How many may be there, running and waiting; one more is refused at once. */
const max = 9;
const maxPerKey = 2;
const maxWaitMs = 2000;

interface SerialQueueOptions {
  /** Work that takes longer is not waited for, but the next one starts only when it has ended. */
  maxWorkMs: number;
  fullError: () => Error;
  lateError: () => Error;
}

export function createSerialQueue({ maxWorkMs, fullError, lateError }: SerialQueueOptions): SerialQueue {
  const limiter = createConcurrencyLimiter({ max, maxPerKey });
  let last: Promise<unknown> = Promise.resolve();

  return {
    async run<T>(key: string, work: () => Promise<T>) {
      const release = limiter.acquire(key);
      if (!release) throw fullError();
      const previous = last;
      let end = () => {};
      last = new Promise<void>((resolve) => (end = resolve));
      const turn = previous.then(() => 'turn' as const);
      if ((await firstWithin(maxWaitMs, turn)) === 'expired') {
        release();
        void turn.then(end);
        throw fullError();
      }

      const running = work().finally(() => {
        release();
        end();
      });
      const result = await firstWithin(
        maxWorkMs,
        running.then((value) => ({ value })),
      );
      if (result !== 'expired') return result.value;
      running.catch(() => {});
      throw lateError();
    },
  };
}

/** What the promise gives, or 'expired' when it takes longer. */
async function firstWithin<T>(ms: number, promise: Promise<T>): Promise<T | 'expired'> {
  const timer = new AbortController();
  const expiry = sleep(ms, 'expired' as const, { signal: timer.signal }).catch(() => new Promise<never>(() => {}));
  try {
    return await Promise.race([promise, expiry]);
  } finally {
    timer.abort();
  }
}
