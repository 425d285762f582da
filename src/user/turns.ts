import { setTimeout as sleep } from 'node:timers/promises';
import { createPlaces } from './places.ts';

interface TurnsOptions {
  /** How many may be there, at work and waiting; one more is refused at once. */
  maxPresent?: number;
  /** And how many of one. */
  maxPresentEach?: number;
  /** How long one may wait. */
  maxWaitMs?: number;
  /** How long one may take. What takes longer is not waited for, but keeps its turn until it has ended. */
  maxWorkMs: number;
  /** What is thrown at whoever finds no place or no time, and at whoever takes too long. */
  busy: () => Error;
  late: () => Error;
}

export type TakeTurns = <T>(whose: string, work: () => Promise<T>) => Promise<T>;

/** One piece of work at a time, in the order of arrival. */
export function createTurns({
  maxPresent = 9,
  maxPresentEach = 2,
  maxWaitMs = 2000,
  maxWorkMs,
  busy,
  late,
}: TurnsOptions): TakeTurns {
  const places = createPlaces({ max: maxPresent, maxEach: maxPresentEach });
  let last: Promise<unknown> = Promise.resolve();

  return async <T>(whose: string, work: () => Promise<T>) => {
    const leave = places.take(whose);
    if (!leave) throw busy();
    const before = last;
    let end = () => {};
    last = new Promise<void>((resolve) => (end = resolve));
    const waiting = new AbortController();
    try {
      const turn = before.then(() => 'turn' as const);
      if ((await Promise.race([turn, expiry(maxWaitMs, waiting)])) === 'expired') {
        leave();
        void turn.then(end);
        throw busy();
      }
    } finally {
      waiting.abort();
    }

    const working = new AbortController();
    const running = work().finally(() => {
      leave();
      end();
    });
    try {
      const result = await Promise.race([running.then((value) => ({ value })), expiry(maxWorkMs, working)]);
      if (result === 'expired') {
        running.catch(() => {});
        throw late();
      }
      return result.value;
    } finally {
      working.abort();
    }
  };
}

/** Never settles once the controller has aborted. */
function expiry(ms: number, { signal }: AbortController): Promise<'expired'> {
  return sleep(ms, 'expired' as const, { signal }).catch(() => new Promise<never>(() => {}));
}
