import { z } from 'zod';
import type { AccessTokens } from './access-token.ts';
import type { WechatApi } from './api.ts';
import { callWithAccessToken } from './call-with-access-token.ts';
import { withinDeadline } from './deadline.ts';
import { badResponse } from './http.ts';

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
   * Exchanges a one-time code of the phone number button with WeChat, which refuses the code of another user. Each
   * success costs money. Rejects with AppError: CODE_INVALID and every WECHAT_ reason.
   */
  exchange(code: string, user: Owner): Promise<PhoneNumber>;
}

interface PhoneCodesOptions {
  api: WechatApi;
  accessTokens: AccessTokens;
  /** The total deadline of one exchange: the access token, connecting, reading and retries. */
  timeoutMs: number;
}

const digits = z.union([z.string(), z.number().int().transform(String)]);

const success = z.object({
  phone_info: z.object({
    purePhoneNumber: digits.transform((text) => text.replace(/[ -]/g, '')).pipe(z.string().regex(/^\d{4,20}$/)),
    // Seen as a number too.
    countryCode: digits.transform((text) => text.replace(/^\+/, '')).pipe(z.string().regex(/^\d{1,4}$/)),
    watermark: z.object({ appid: z.string() }).optional(),
  }),
});

export function createPhoneCodes({ api, accessTokens, timeoutMs }: PhoneCodesOptions): PhoneCodes {
  return {
    exchange: (code, { appId, openId }) =>
      withinDeadline(timeoutMs, async (deadline) => {
        const answer = await callWithAccessToken({ accessTokens, appId, deadline }, (accessToken) =>
          api.requestWithRetry(
            {
              method: 'POST',
              path: '/wxa/business/getuserphonenumber',
              query: { access_token: accessToken },
              body: { code, openid: openId },
              appId,
              // Each success costs money, and one whose answer is lost may be a success.
              isRepeatable: false,
            },
            deadline,
          ),
        );
        const parsed = success.safeParse(answer);
        if (!parsed.success) throw badResponse('WRONG_SHAPE');
        const { purePhoneNumber: number, countryCode, watermark } = parsed.data.phone_info;
        if (watermark && watermark.appid !== appId) throw badResponse('WRONG_APP');
        return { countryCode, number };
      }),
  };
}
