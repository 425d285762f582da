import type { AccessTokens } from './access-tokens.ts';
import { type Answer, refusal } from './answer.ts';
import { appOf } from './authorized.ts';
import type { Codes } from './codes.ts';
import { codeIn, type Endpoint, fieldsOf, type WechatRequest } from './endpoint.ts';

interface Deps {
  accessTokens: AccessTokens;
  /** The codes of the phone button, not those of `wx.login`. */
  phoneCodes: Codes;
  now: () => number;
}

/** `POST /wxa/business/getuserphonenumber`: the number of the user whose button gave the code. Each success is charged. */
export function getuserphonenumber({ accessTokens, phoneCodes, now }: Deps): Endpoint {
  function answer({ query, body }: WechatRequest, { spend }: { spend: boolean }): Answer {
    const app = appOf(accessTokens, query);
    if ('refusal' in app) return app.refusal;
    const fields = fieldsOf(body);
    if (!fields) return refusal(47001);
    const { openid } = fields;
    const found = phoneCodes.find(codeIn(body) ?? '', app.appId);
    // Another person's code is refused like an unknown one.
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
        watermark: { timestamp: Math.floor(now() / 1000), appid: app.appId },
      },
    };
  }

  return {
    method: 'POST',
    path: '/wxa/business/getuserphonenumber',
    charges: true,
    codeOf: ({ body }) => codeIn(body),
    answer,
    succeeded: (given) => 'phone_info' in given,
  };
}
