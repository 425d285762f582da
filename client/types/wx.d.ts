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
  }): {
    abort(): void;
  };
  login(options: { success: (answer: { code: string }) => void; fail: (refusal: Refusal) => void }): unknown;
  checkSession(options: { success: () => void; fail: () => void }): unknown;
  getStorageSync(key: string): unknown;
  setStorageSync(key: string, value: string): void;
  removeStorageSync(key: string): void;
  /** Absent before base library 2.2.2. */
  getAccountInfoSync?(): {
    miniProgram: {
      appId: string;
    };
  };
}
/** Which mini program this is, as WeChat tells; undefined where it does not. */
export declare function ownAppId(wx: Pick<Wx, 'getAccountInfoSync'>): string | undefined;
/** A new login code from WeChat. It works once. Rejects with a `ClientError`: `wx-login` or `timeout`. */
export declare function takeCode(wx: Wx, timeoutMs: number): Promise<string>;
/** Whether WeChat still honours the session key of the last login here. No answer in time means no. */
export declare function keyHolds(wx: Wx, timeoutMs: number): Promise<boolean>;
export {};
