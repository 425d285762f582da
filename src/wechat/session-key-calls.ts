import { createHmac } from 'node:crypto';
import { z } from 'zod';
import { base64Of16BytesPattern } from '../crypto.ts';
import { AppError } from '../errors.ts';
import type { AccessTokens } from './access-token.ts';
import type { WechatApi } from './api.ts';
import { callWithAccessToken } from './call-with-access-token.ts';
import { withinDeadline } from './deadline.ts';
import { badResponse, type WechatRequest } from './http.ts';

interface Owner {
  appId: string;
  openId: string;
}

/** What WeChat says about a session key that we hold, and about a plugin's user. Reject with AppError, every WECHAT_ reason. */
export interface SessionKeyCalls {
  /** Whether the key is still the user's. */
  isCurrent(sessionKey: string, owner: Owner): Promise<boolean>;
  /** The user's new key; null when the given one is not the user's any more. */
  reset(sessionKey: string, owner: Owner): Promise<string | null>;
}

export interface PluginCodes {
  /** Who the user is to the app's plugin, for a code of `wx.pluginLogin`. Rejects with CODE_INVALID too. */
  pluginOpenPid(code: string, appId: string): Promise<string>;
}

interface Options {
  api: WechatApi;
  accessTokens: AccessTokens;
  timeoutMs: number;
}

const newKey = z.object({ session_key: z.string().regex(base64Of16BytesPattern) });
const pluginUser = z.object({ openpid: z.string().regex(/^[A-Za-z0-9_-]{16,64}$/) });
const wrongSignature = 87009;

/** The user-state signature that WeChat's APIs ask for. The key goes in as its base64 text, not decoded. */
export function userStateSignature(text: string, sessionKey: string): string {
  return createHmac('sha256', sessionKey).update(text).digest('hex');
}

export function createSessionKeyCalls({ api, accessTokens, timeoutMs }: Options): SessionKeyCalls & PluginCodes {
  type Call = Pick<WechatRequest, 'method' | 'path' | 'body'> & {
    query?: Record<string, string>;
    isRepeatable: boolean;
  };

  function send(appId: string, { query = {}, ...call }: Call): Promise<unknown> {
    return withinDeadline(timeoutMs, (deadline) =>
      callWithAccessToken({ accessTokens, appId, deadline }, (accessToken) =>
        api.requestWithRetry({ ...call, query: { access_token: accessToken, ...query }, appId }, deadline),
      ),
    );
  }

  /** The answer, null when the key is not the user's. */
  async function sendSigned(sessionKey: string, { appId, openId }: Owner, call: Omit<Call, 'query' | 'method'>) {
    const signature = userStateSignature('', sessionKey);
    const query = { openid: openId, signature, sig_method: 'hmac_sha256' };
    try {
      return await send(appId, { ...call, method: 'GET', query });
    } catch (error) {
      if (error instanceof AppError && error.detail.errcode === wrongSignature) return null;
      throw error;
    }
  }

  return {
    async isCurrent(sessionKey, owner) {
      return (await sendSigned(sessionKey, owner, { path: '/wxa/checksession', isRepeatable: true })) !== null;
    },
    async reset(sessionKey, owner) {
      // A reset whose answer is lost has changed the key: a second one would be signed with a wrong one.
      const answer = await sendSigned(sessionKey, owner, { path: '/wxa/resetusersessionkey', isRepeatable: false });
      if (answer === null) return null;
      const parsed = newKey.safeParse(answer);
      if (!parsed.success) throw badResponse('WRONG_SHAPE');
      return parsed.data.session_key;
    },
    async pluginOpenPid(code, appId) {
      const call = { method: 'POST', path: '/wxa/getpluginopenpid', body: { code }, isRepeatable: false } as const;
      const parsed = pluginUser.safeParse(await send(appId, call));
      if (!parsed.success) throw badResponse('WRONG_SHAPE');
      return parsed.data.openpid;
    },
  };
}
