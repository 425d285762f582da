import { AppError } from '../errors.ts';
import { createConcurrencyLimiter } from '../limits/concurrency-limiter.ts';
import { type Deadline, pause } from './deadline.ts';
import { errorIn } from './errcodes.ts';
import { createWechatHttp, type Proxies, type WechatRequest } from './http.ts';

export interface WechatApiRequest extends WechatRequest {
  /** The app that the request is for: the log names it. */
  appId: string;
  /** Whether the request is sent again when not one byte of an answer came. After -1 it always is: WeChat did nothing. */
  isRepeatable: boolean;
}

/** The one door to WeChat's APIs: retries, refusals, and a bound on the requests in flight. */
export interface WechatApi {
  /**
   * Gives the JSON of an answer without an errcode; tries three times at most, all within the deadline. Rejects with
   * AppError: CODE_INVALID, USER_BLOCKED and every WECHAT_ reason; WECHAT_BUSY without a request when too many are in flight.
   */
  requestWithRetry(request: WechatApiRequest, deadline: Deadline): Promise<unknown>;
  inFlight(): number;
  close(): Promise<void>;
}

interface WechatApiOptions {
  baseUrl: string;
  proxies?: Proxies | null;
  maxInFlight?: number;
  now?: () => number;
}

/** Waits before the second and the third try. */
const backoffsMs = [100, 300];

/** The client of api.weixin.qq.com, or of a server with the same API at `baseUrl`. */
export function createWechatApi({
  baseUrl,
  proxies = null,
  maxInFlight = 500,
  now = Date.now,
}: WechatApiOptions): WechatApi {
  const limiter = createConcurrencyLimiter({ max: maxInFlight });
  const http = createWechatHttp({ baseUrl, proxies });
  // WeChat may close a kept connection just as it is used: a request that is sent only once has a connection of its own.
  const httpOnce = createWechatHttp({ baseUrl, proxies, keepsAlive: false });

  return {
    async requestWithRetry(request, deadline) {
      const release = limiter.acquire(request.appId);
      if (!release) {
        throw new AppError('WECHAT_BUSY', { retryAfterSeconds: 1, detail: { code: 'TOO_MANY_IN_FLIGHT' } });
      }
      try {
        return await attempt(request, deadline, 0);
      } finally {
        release();
      }
    },
    inFlight: () => limiter.inFlight(),
    async close() {
      await Promise.all([http.close(), httpOnce.close()]);
    },
  };

  async function attempt(request: WechatApiRequest, deadline: Deadline, retries: number): Promise<unknown> {
    const { appId, isRepeatable } = request;
    const answer = await (isRepeatable ? http : httpOnce).send(request, deadline);
    const error =
      answer.kind === 'answered'
        ? errorIn(answer.json, appId, now())
        : new AppError('WECHAT_TIMEOUT', { detail: { code: answer.code } });
    if (!error && answer.kind === 'answered') return answer.json;
    const backoffMs = backoffsMs[retries];
    const mayRepeat = answer.kind === 'unanswered' ? isRepeatable : error?.reason === 'WECHAT_BUSY';
    if (!mayRepeat || backoffMs === undefined) throw error;
    await pause(deadline, backoffMs).catch(() => {
      throw error;
    });
    return await attempt(request, deadline, retries + 1);
  }
}
