import { ClientError } from './errors.ts';

/** What `wx.request` hands to its `success`, whatever the HTTP status. */
export interface Answer {
  statusCode: number;
  data: unknown;
  header: object;
}

interface Refusal {
  errMsg: string;
}

/** What this package needs of WeChat's global `wx`, which fits it. */
export interface Wx {
  request(options: {
    url: string;
    method: 'POST';
    data: string;
    dataType: 'text';
    header: Record<string, string>;
    success: (answer: Answer) => void;
    fail: (refusal: Refusal) => void;
  }): { abort(): void };
  login(options: { success: (answer: { code: string }) => void; fail: (refusal: Refusal) => void }): unknown;
  checkSession(options: { success: () => void; fail: () => void }): unknown;
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

/** A new login code from WeChat. It works once. Rejects with a `ClientError`: `wx-login` or `timeout`. */
export function takeCode(wx: Wx, timeoutMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new ClientError('timeout', 'wx.login gave no answer')), timeoutMs);
    wx.login({
      success({ code }) {
        clearTimeout(timer);
        if (code) resolve(code);
        else reject(new ClientError('wx-login', 'wx.login gave no code'));
      },
      fail({ errMsg }) {
        clearTimeout(timer);
        reject(new ClientError('wx-login', errMsg));
      },
    });
  });
}

/** Whether WeChat still honours the session key of the last login here. No answer in time means no. */
export function keyHolds(wx: Wx, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), timeoutMs);
    const answer = (holds: boolean) => () => {
      clearTimeout(timer);
      resolve(holds);
    };
    wx.checkSession({ success: answer(true), fail: answer(false) });
  });
}
