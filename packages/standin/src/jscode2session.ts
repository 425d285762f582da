import { type Answer, refusal } from './answer.ts';
import type { Codes } from './codes.ts';
import type { Endpoint, WechatRequest } from './endpoint.ts';
import type { People } from './people.ts';

/** `GET /sns/jscode2session`: a login code for the openid and the key that is the user's at this moment. */
export function jscode2session({ people, codes }: { people: People; codes: Codes }): Endpoint {
  function answer({ query }: WechatRequest, { spend }: { spend: boolean }): Answer {
    const appId = single(query, 'appid');
    if (appId === 'missing') return refusal(41002);
    const app = appId === 'repeated' ? undefined : people.app(appId.value);
    if (!app) return refusal(40013);

    const secret = single(query, 'secret');
    if (secret === 'missing') return refusal(41004);
    if (secret === 'repeated' || secret.value !== app.secret) return refusal(40125);

    const grantType = single(query, 'grant_type');
    if (typeof grantType === 'string' || grantType.value !== 'authorization_code') return refusal(40002);

    const code = single(query, 'js_code');
    if (code === 'missing') return refusal(41008);
    if (code === 'repeated') return refusal(40029);
    const found = codes.find(code.value, app.appId);
    if (found.state === 'unknown') return refusal(40029);
    if (found.state === 'used') return refusal(40163);
    if (found.person.blocked) return refusal(40226);

    if (spend) found.spend();
    const { sessionKey, openid, unionid } = found.person;
    return { session_key: sessionKey, openid, ...(unionid && { unionid }) };
  }

  return {
    method: 'GET',
    path: '/sns/jscode2session',
    charges: false,
    codeOf: ({ query }) => query.get('js_code') ?? undefined,
    answer,
    succeeded: (given) => 'session_key' in given,
  };
}

/** A repeated parameter counts as a wrong one; an empty one as missing. */
function single(query: URLSearchParams, name: string): 'missing' | 'repeated' | { value: string } {
  const [value, ...others] = query.getAll(name);
  if (others.length > 0) return 'repeated';
  return value ? { value } : 'missing';
}
