import type { AccessTokens } from './access-tokens.ts';
import { type Answer, refusal } from './answer.ts';
import { type Endpoint, fieldsOf, type WechatRequest } from './endpoint.ts';
import type { People } from './people.ts';

/** `POST /cgi-bin/stable_token`: the access token of an app, for its id and secret. */
export function stableToken({ people, accessTokens }: { people: People; accessTokens: AccessTokens }): Endpoint {
  function answer({ body }: WechatRequest): Answer {
    const fields = fieldsOf(body);
    if (!fields) return refusal(47001);
    const { appid, secret, grant_type: grantType, force_refresh: force = false } = fields;
    if (!appid) return refusal(41002);
    const app = typeof appid === 'string' ? people.app(appid) : undefined;
    if (!app) return refusal(40013);
    if (!secret) return refusal(41004);
    if (secret !== app.secret) return refusal(40125);
    if (grantType !== 'client_credential') return refusal(40002);
    if (typeof force !== 'boolean') return refusal(47001);

    const issued = accessTokens.issue(app.appId, { force });
    if (issued.state === 'tooOften') return refusal(45009);
    return { access_token: issued.value, expires_in: issued.expiresInSeconds };
  }

  return {
    method: 'POST',
    path: '/cgi-bin/stable_token',
    charges: false,
    codeOf: () => undefined,
    answer,
    succeeded: (given) => 'access_token' in given,
  };
}
