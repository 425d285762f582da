export interface RateLimit {
  /** Counts a call of this caller and gives 0, or, when there were too many, the seconds until the next may pass. */
  take(caller: string, now: number): number;
}

interface RateLimitOptions {
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
 * At most so many calls in the minute that begins with a caller's first one. Callers are forgotten early only for
 * somebody who has more addresses than are remembered, and who could call as often without that.
 */
export function createRateLimit({ perMinute, maxCallers = 50_000 }: RateLimitOptions): RateLimit {
  // Two generations, forgotten whole: taking the oldest out of one map, again and again, gets slow in V8.
  let young = new Map<string, Minute>();
  let old = new Map<string, Minute>();
  let turnedAt = Number.NEGATIVE_INFINITY;

  return {
    take(caller, now) {
      if (perMinute === 0) return 0;
      const minute = young.get(caller) ?? old.get(caller);
      if (!minute || isOver(minute.startedAt, now)) {
        if (young.size >= maxCallers || isOver(turnedAt, now)) {
          [young, old] = [new Map(), young];
          turnedAt = now;
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
