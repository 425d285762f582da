import { ClientError } from './errors.ts';

/** What `wx.request` hands to its `success`, whatever the HTTP status. */
export interface Answer {
  statusCode: number;
  data: unknown;
  header: object;
}

/** What WeChat's functions hand to `fail`. */
interface Refusal {
  errMsg: string;
  errno?: number;
}

/** One request of the client's. The body is JSON; the answer is wanted as text. */
export interface RequestOptions {
  url: string;
  method: 'POST';
  data: string;
  dataType: 'text';
  header: Record<string, string>;
  success: (answer: Answer) => void;
  fail: (refusal: Refusal) => void;
}

/** What `wx.request` gives back. Some frameworks give nothing, or a promise beside the callbacks. */
type RequestTask = { abort?(): void } | PromiseLike<unknown> | undefined | void;

/** Sends a request, and tells `success` or `fail` of the outcome. */
export type Transport = (options: RequestOptions) => RequestTask;

/** What this package needs of WeChat's global `wx`, which fits it. */
export interface Wx {
  request(options: RequestOptions): RequestTask;
  login(options: { success: (answer: { code: string }) => void; fail: (refusal: Refusal) => void }): unknown;
  checkSession(options: { success: () => void; fail: (refusal: Refusal) => void }): unknown;
  getStorageSync(key: string): unknown;
  setStorageSync(key: string, value: string): void;
  removeStorageSync(key: string): void;
  /** Absent before base library 2.2.2. */
  getAccountInfoSync?(): { miniProgram: { appId: string } };
}

/** What DevTools calls a project without an appid: no mini program, and no backend can have its secret. */
const tourist = 'touristappid';

/** Which mini program this is, as WeChat tells; undefined where it does not. */
export function ownAppId(wx: Pick<Wx, 'getAccountInfoSync'>): string | undefined {
  try {
    const appId = wx.getAccountInfoSync?.().miniProgram.appId;
    return appId === tourist ? undefined : appId || undefined;
  } catch {
    return undefined;
  }
}

/** The words and the number of a failure of the platform's, whether it was handed to `fail` or thrown. */
export function refusalOf(failed: unknown): { errMsg: string; errno: number | undefined } {
  // `wx.cloud` calls the number errCode.
  const { errMsg, message, errno, errCode } = Object(failed) as Record<string, unknown>;
  const number = errno ?? errCode;
  return { errMsg: String(errMsg ?? message ?? failed), errno: typeof number === 'number' ? number : undefined };
}

/**
 * Calls one of the platform's functions. It may be missing (单页模式 has no `wx.login`) or throw at once, which is told to
 * `fail`. Taro also gives a promise; its rejection repeats what `fail` was told.
 */
export function callPlatform<T>(call: () => T, fail: (failed: unknown) => void): T | undefined {
  try {
    const result = call();
    const { then } = Object(result) as { then?: unknown };
    if (typeof then === 'function') then.call(result, ignore, ignore);
    return result;
  } catch (error) {
    fail(error);
    return undefined;
  }
}

export function ignore(): void {}

/** A new login code from WeChat. It works once. Rejects with a `ClientError`: `wx-login` or `timeout`. */
export function takeCode(wx: Pick<Wx, 'login'>, timeoutMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new ClientError('timeout', 'wx.login gave no answer')), timeoutMs);
    const fail = (failed: unknown) => {
      clearTimeout(timer);
      const { errMsg, errno } = refusalOf(failed);
      reject(new ClientError('wx-login', errMsg, { errno }));
    };
    const success = ({ code }: { code: string }) => {
      if (!code) return fail({ errMsg: 'wx.login gave no code' });
      clearTimeout(timer);
      resolve(code);
    };
    callPlatform(() => wx.login({ success, fail }), fail);
  });
}

/** `session time out, need relogin`, as phones of all years say it. */
const expired = /relogin|session time ?out|expired|过期|失效/i;

/**
 * Whether WeChat says that the session key of the last login here has expired. A phone that is offline, or gives no answer
 * in time, does not say so.
 */
export function hasKeyExpired(wx: Pick<Wx, 'checkSession'>, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const answer = (hasExpired: boolean) => {
      clearTimeout(timer);
      resolve(hasExpired);
    };
    const timer = setTimeout(() => answer(false), timeoutMs);
    const fail = (failed: unknown) => answer(expired.test(refusalOf(failed).errMsg));
    callPlatform(() => wx.checkSession({ success: () => answer(false), fail }), fail);
  });
}
