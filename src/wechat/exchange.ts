import { z } from 'zod';
import { base64Of16BytesPattern } from '../crypto.ts';
import { AppError } from '../errors.ts';
import type { WechatApi } from './api.ts';
import { withinDeadline } from './deadline.ts';
import { badResponse } from './http.ts';

/** What WeChat gives for a code. */
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
   * Exchanges a one-time code from `wx.login` with WeChat. Two calls with one code are two exchanges, and WeChat refuses
   * the second. Rejects with AppError: INPUT_INVALID for an app that is not ours, before WeChat is asked; CODE_INVALID,
   * USER_BLOCKED and every WECHAT_ reason.
   */
  exchangeCode(code: string, appId?: string): Promise<Exchange>;
}

interface WechatOptions {
  api: WechatApi;
  /** App id → app secret. */
  appSecrets: ReadonlyMap<string, string>;
  defaultApp: string;
  /** The total deadline of one exchange: connecting, reading and retries. */
  timeoutMs: number;
  now?: () => number;
}

const success = z.object({
  openid: z.string().regex(/^[A-Za-z0-9_-]{16,64}$/),
  session_key: z.string().regex(base64Of16BytesPattern),
  unionid: z
    .string()
    .regex(/^[A-Za-z0-9_-]{0,64}$/)
    .nullish(),
});

export function createWechat({ api, appSecrets, defaultApp, timeoutMs, now = Date.now }: WechatOptions): Wechat {
  return {
    async exchangeCode(code, appId = defaultApp) {
      const secret = appSecrets.get(appId);
      if (secret === undefined) throw new AppError('INPUT_INVALID', { fields: ['appId'] });
      const startedAt = now();
      const query = { appid: appId, secret, js_code: code, grant_type: 'authorization_code' };
      const request = { method: 'GET', path: '/sns/jscode2session', query, appId, isRepeatable: true } as const;
      const answer = await withinDeadline(timeoutMs, (deadline) => api.requestWithRetry(request, deadline));
      const parsed = success.safeParse(answer);
      if (!parsed.success) throw badResponse('WRONG_SHAPE');
      const { openid, session_key, unionid } = parsed.data;
      return { appId, openId: openid, unionId: unionid || null, sessionKey: session_key, startedAt };
    },
  };
}
