import { z } from 'zod';
import { base64Of16BytesPattern } from '../crypto.ts';
import { AppError } from '../errors.ts';
import { ask } from './ask.ts';
import { withinDeadline } from './deadline.ts';
import { createGate, type Gate } from './gate.ts';
import { badResponse, createWechatHttp } from './http.ts';
import type { Wechat } from './wechat.ts';

interface WechatOptions {
  baseUrl: string;
  /** App id → app secret. */
  appSecrets: ReadonlyMap<string, string>;
  defaultApp: string;
  /** The total deadline of one exchange: connecting, reading and retries. */
  timeoutMs?: number;
  now?: () => number;
  gate?: Gate;
}

const success = z.object({
  openid: z.string().regex(/^[A-Za-z0-9_-]{16,64}$/),
  session_key: z.string().regex(base64Of16BytesPattern),
  unionid: z
    .string()
    .regex(/^[A-Za-z0-9_-]{0,64}$/)
    .nullish(),
});

/** The client of api.weixin.qq.com, or of whatever speaks like it at `baseUrl`. */
export function createWechat({
  baseUrl,
  appSecrets,
  defaultApp,
  timeoutMs = 3000,
  now = Date.now,
  gate = createGate({ now }),
}: WechatOptions): Wechat {
  const http = createWechatHttp({ baseUrl });

  return {
    async exchangeCode(code, appId = defaultApp) {
      const secret = appSecrets.get(appId);
      if (secret === undefined) throw new AppError('INPUT_INVALID', { fields: ['appId'] });
      const startedAt = now();
      const query = { appid: appId, secret, js_code: code, grant_type: 'authorization_code' };
      const request = { method: 'GET', path: '/sns/jscode2session', query } as const;
      const answer = await gate.pass(`jscode2session ${appId}`, () =>
        withinDeadline(timeoutMs, (deadline) => ask({ http, request, appId, deadline, now, repeatsUnanswered: true })),
      );
      const parsed = success.safeParse(answer);
      if (!parsed.success) throw badResponse('WRONG_SHAPE');
      const { openid, session_key, unionid } = parsed.data;
      return { appId, openId: openid, unionId: unionid || null, sessionKey: session_key, startedAt };
    },
    close: () => http.close(),
  };
}
