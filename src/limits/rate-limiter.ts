export interface RateLimiter {
  /** Counts a call of this caller and gives 0, or, after too many, the seconds until the caller's next call may pass. */
  take(caller: string, now: number): number;
}

interface RateLimiterOptions {
  /** 0 lets everything pass. */
  perMinute: number;
  /** How many callers are remembered at least; twice as many at most. */
  maxCallers?: number;
}

interface Minute {
  startedAt: number;
  calls: number;
}

const minuteMs = 60_000;

/**
 * Lets through at most `perMinute` calls in the minute that begins with a caller's first one. Callers are forgotten early
 * only when there are more than `maxCallers` of them: one person with so many addresses has no need of being forgotten.
 */
export function createRateLimiter({ perMinute, maxCallers = 50_000 }: RateLimiterOptions): RateLimiter {
  // Two generations, forgotten whole: taking the oldest out of one map, again and again, gets slow in V8.
  let young = new Map<string, Minute>();
  let old = new Map<string, Minute>();
  let youngSince = Number.NEGATIVE_INFINITY;

  return {
    take(caller, now) {
      if (perMinute === 0) return 0;
      const minute = young.get(caller) ?? old.get(caller);
      if (!minute || isOver(minute.startedAt, now)) {
        if (young.size >= maxCallers || isOver(youngSince, now)) {
          [young, old] = [new Map(), young];
          youngSince = now;
        }
        young.set(caller, { startedAt: now, calls: 1 });
        return 0;
      }
      if (minute.calls >= perMinute) return Math.ceil((minute.startedAt + minuteMs - now) / 1000);
      minute.calls += 1;
      return 0;
    },
  };
}

/** A clock that is set back must not make a minute longer. */
function isOver(startedAt: number, now: number): boolean {
  return now - startedAt >= minuteMs || now < startedAt;
}
