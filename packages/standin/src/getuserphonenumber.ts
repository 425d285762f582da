import type { AccessTokens } from './access-tokens.ts';
import { type Answer, refusal } from './answer.ts';
import type { Codes } from './codes.ts';
import { type Endpoint, fieldsOf, type WechatRequest } from './endpoint.ts';

interface Deps {
  accessTokens: AccessTokens;
  /** The codes of the phone button, not those of `wx.login`. */
  phoneCodes: Codes;
  now: () => number;
}

/** `POST /wxa/business/getuserphonenumber`: the number of the user whose button gave the code. Each success is charged. */
export function getuserphonenumber({ accessTokens, phoneCodes, now }: Deps): Endpoint {
  function answer({ query, body }: WechatRequest, { spend }: { spend: boolean }): Answer {
    const [token, ...others] = query.getAll('access_token');
    if (!token) return refusal(41001);
    const checked = others.length > 0 ? { state: 'unknown' as const } : accessTokens.check(token);
    if (checked.state === 'unknown') return refusal(40001);
    if (checked.state === 'expired') return refusal(42001);

    const fields = fieldsOf(body);
    if (!fields) return refusal(47001);
    const { code, openid } = fields;
    const found = phoneCodes.find(typeof code === 'string' ? code : '', checked.appId);
    // Somebody else's code is as good as none.
    if (found.state !== 'good' || (openid !== undefined && openid !== found.person.openid)) return refusal(40029);

    if (spend) found.spend();
    const { countryCode, phoneNumber } = found.person;
    return {
      errcode: 0,
      errmsg: 'ok',
      phone_info: {
        phoneNumber: countryCode === '86' ? phoneNumber : `+${countryCode}${phoneNumber}`,
        purePhoneNumber: phoneNumber,
        countryCode,
        watermark: { timestamp: Math.floor(now() / 1000), appid: checked.appId },
      },
    };
  }

  return {
    method: 'POST',
    path: '/wxa/business/getuserphonenumber',
    charges: true,
    codeOf: ({ body }) => {
      const code = fieldsOf(body)?.['code'];
      return typeof code === 'string' ? code : undefined;
    },
    answer,
    succeeded: (given) => 'phone_info' in given,
  };
}
