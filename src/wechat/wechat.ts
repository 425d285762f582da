/** What an exchanged code tells of a user. */
export interface Exchange {
  appId: string;
  openId: string;
  unionId: string | null;
  /** Base64 of 16 bytes, in clear: it may go into a seal and nowhere else. */
  sessionKey: string;
  /** When the exchange began, in Unix milliseconds. */
  startedAt: number;
}

/** What the login needs of WeChat. */
export interface Wechat {
  /**
   * Changes a one-time code from `wx.login` for the user it stands for. Two calls with one code are two exchanges,
   * and WeChat refuses the second. Rejects with AppError: INPUT_INVALID for an app that is not ours, before WeChat
   * is asked; CODE_INVALID, USER_BLOCKED and every WECHAT_ reason, some of them without asking WeChat: see gate.ts.
   */
  exchangeCode(code: string, appId?: string): Promise<Exchange>;
  close(): Promise<void>;
}
