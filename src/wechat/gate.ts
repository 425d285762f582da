import { AppError } from '../errors.ts';

/** What stands between us and WeChat: no more calls at once than we can bear, and none that WeChat has no quota for. */
export interface Gate {
  /**
   * Makes the call, unless too many are under way (WECHAT_BUSY) or WeChat is being left alone (WECHAT_RATE_LIMITED):
   * then it is not made. `quota` names what WeChat counts together, such as one API of one app.
   */
  pass<T>(quota: string, call: () => Promise<T>): Promise<T>;
  inFlight(): number;
}

interface GateOptions {
  maxInFlight?: number;
  now?: () => number;
}

interface Pause {
  until: number;
  probeAt: number;
}

const probeEveryMs = 10_000;
const minuteMs = 60_000;

/**
 * After WeChat's word that a quota is used up it is left alone until the next minute, when its quotas start anew. One
 * call every 10 s goes through meanwhile; its success ends the pause, since the quota may have been one user's alone.
 */
export function createGate({ maxInFlight = 500, now = Date.now }: GateOptions = {}): Gate {
  /** By quota; there are as many as we have apps and APIs. */
  const pauses = new Map<string, Pause>();
  let inFlight = 0;

  return {
    async pass(quota, call) {
      if (inFlight >= maxInFlight) {
        throw new AppError('WECHAT_BUSY', { retryAfterSeconds: 1, detail: { code: 'TOO_MANY_IN_FLIGHT' } });
      }
      const isProbe = mayProbe(quota);
      inFlight += 1;
      try {
        const result = await call();
        if (isProbe) pauses.delete(quota);
        return result;
      } catch (error) {
        if (error instanceof AppError && error.reason === 'WECHAT_RATE_LIMITED') pause(quota);
        throw error;
      } finally {
        inFlight -= 1;
      }
    },
    inFlight: () => inFlight,
  };

  /** Whether this call is a probe; throws when it may not be made. */
  function mayProbe(quota: string): boolean {
    const paused = pauses.get(quota);
    if (!paused) return false;
    const at = now();
    // A clock that is set back must not make the pause longer.
    if (at >= paused.until || at < paused.until - minuteMs) {
      pauses.delete(quota);
      return false;
    }
    if (at < paused.probeAt) {
      throw new AppError('WECHAT_RATE_LIMITED', {
        retryAfterSeconds: Math.ceil((paused.until - at) / 1000),
        detail: { code: 'PAUSED' },
      });
    }
    paused.probeAt = at + probeEveryMs;
    return true;
  }

  function pause(quota: string): void {
    const at = now();
    const until = (Math.floor(at / minuteMs) + 1) * minuteMs;
    // Calls that were under way when the pause began end it no later, and bring no probe forward.
    pauses.set(quota, { until, probeAt: Math.max(pauses.get(quota)?.probeAt ?? 0, at + probeEveryMs) });
  }
}
