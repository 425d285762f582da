import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { base64Of16BytesPattern } from '../crypto.ts';
import { LoginError } from '../errors.ts';
import { errorIn } from './errcodes.ts';
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
}

/** Waits before the second and the third try. */
const backoffsMs = [100, 300];

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
}: WechatOptions): Wechat {
  const http = createWechatHttp({ baseUrl });

  return {
    async exchangeCode(code, appId = defaultApp) {
      const secret = appSecrets.get(appId);
      if (secret === undefined) throw new LoginError('INPUT_INVALID', { fields: ['appId'] });
      const startedAt = now();
      const query = { appid: appId, secret, js_code: code, grant_type: 'authorization_code' };
      const answer = await ask(query, appId, AbortSignal.timeout(timeoutMs));
      const parsed = success.safeParse(answer);
      if (!parsed.success) throw badResponse('WRONG_SHAPE');
      const { openid, session_key, unionid } = parsed.data;
      return { appId, openId: openid, unionId: unionid || null, sessionKey: session_key, startedAt };
    },
    close: () => http.close(),
  };

  /** Asks until there is an answer that counts. Only what cannot have spent the code is asked again. */
  async function ask(query: Readonly<Record<string, string>>, appId: string, signal: AbortSignal): Promise<unknown> {
    for (let attempt = 0; ; attempt++) {
      const answer = await http.send({ method: 'GET', path: '/sns/jscode2session', query }, signal);
      const error =
        answer.kind === 'answered'
          ? errorIn(answer.json, appId, now())
          : new LoginError('WECHAT_TIMEOUT', { detail: { code: 'UNANSWERED' } });
      if (!error && answer.kind === 'answered') return answer.json;
      const backoffMs = backoffsMs[attempt];
      const mayRepeat = answer.kind === 'unanswered' || error?.reason === 'WECHAT_BUSY';
      if (!mayRepeat || backoffMs === undefined) throw error;
      await sleep(backoffMs, undefined, { signal }).catch(() => {
        throw error;
      });
    }
  }
}
