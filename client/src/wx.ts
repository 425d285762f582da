import { ClientError } from './errors.ts';

interface Answer {
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
