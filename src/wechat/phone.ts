import { z } from 'zod';
import type { Keyring } from '../crypto.ts';
import { AppError } from '../errors.ts';
import { type AccessTokenStore, createAccessTokens } from './access-token.ts';
import { ask } from './ask.ts';
import { type Deadline, withinDeadline } from './deadline.ts';
import { createGate, type Gate } from './gate.ts';
import { badResponse, createWechatHttp } from './http.ts';

/** Digits only. */
export interface PhoneNumber {
  /** `86` is mainland China. */
  countryCode: string;
  number: string;
}

interface Owner {
  appId: string;
  openId: string;
}

/** What binding a phone number needs of WeChat. */
export interface PhoneCodes {
  /**
   * Changes a one-time code of the phone number button for the number; WeChat refuses the code of another user. Each
   * success costs money. Rejects with AppError: CODE_INVALID and every WECHAT_ reason.
   */
  exchange(code: string, user: Owner): Promise<PhoneNumber>;
  close(): Promise<void>;
}

interface PhoneCodesOptions {
  baseUrl: string;
  /** App id → app secret. */
  appSecrets: ReadonlyMap<string, string>;
  store: AccessTokenStore;
  /** Seals the access tokens in the store. */
  keyring: Keyring;
  /** The total deadline of one exchange: the access token, connecting, reading and retries. */
  timeoutMs?: number;
  now?: () => number;
  gate?: Gate;
}

/** WeChat's words for an access token that it does not accept: 40001 invalid, 40014 malformed, 42001 expired. */
const tokenErrcodes: ReadonlySet<number | undefined> = new Set([40001, 40014, 42001]);

const digits = z.union([z.string(), z.number().int().transform(String)]);

const success = z.object({
  phone_info: z.object({
    purePhoneNumber: digits.transform((text) => text.replace(/[ -]/g, '')).pipe(z.string().regex(/^\d{4,20}$/)),
    // Seen as a number too.
    countryCode: digits.transform((text) => text.replace(/^\+/, '')).pipe(z.string().regex(/^\d{1,4}$/)),
    watermark: z.object({ appid: z.string() }).optional(),
  }),
});

export function createPhoneCodes({
  baseUrl,
  appSecrets,
  store,
  keyring,
  timeoutMs = 3000,
  now = Date.now,
  gate = createGate({ now }),
}: PhoneCodesOptions): PhoneCodes {
  // A connection that was kept may be closed by WeChat just as it is used, and this call is never sent twice.
  const http = createWechatHttp({ baseUrl, keepsAlive: false });
  const accessTokens = createAccessTokens({ http, appSecrets, store, keyring, gate, timeoutMs, now });

  return {
    exchange: (code, user) => withinDeadline(timeoutMs, (deadline) => exchange(code, user, deadline)),
    close: () => http.close(),
  };

  async function exchange(code: string, { appId, openId }: Owner, deadline: Deadline): Promise<PhoneNumber> {
    const token = await accessTokens.get(appId, deadline);
    const answer = await askWith(token).catch(async (error: unknown) => {
      if (!(error instanceof AppError && tokenErrcodes.has(error.detail.errcode))) throw error;
      const renewed = await accessTokens.renew(appId, token, deadline);
      if (renewed === token) throw error;
      return await askWith(renewed);
    });
    const parsed = success.safeParse(answer);
    if (!parsed.success) throw badResponse('WRONG_SHAPE');
    const { purePhoneNumber: number, countryCode, watermark } = parsed.data.phone_info;
    if (watermark && watermark.appid !== appId) throw badResponse('WRONG_APP');
    return { countryCode, number };

    function askWith(accessToken: string): Promise<unknown> {
      const query = { access_token: accessToken };
      const body = { code, openid: openId };
      const request = { method: 'POST', path: '/wxa/business/getuserphonenumber', query, body } as const;
      return gate.pass(`getuserphonenumber ${appId}`, () =>
        ask({ http, request, appId, deadline, now, repeatsUnanswered: false }),
      );
    }
  }
}
