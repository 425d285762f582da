import { createHmac } from 'node:crypto';
import type { AccessTokens } from './access-tokens.ts';
import { type Answer, refusal } from './answer.ts';
import { appOf } from './authorized.ts';
import type { Endpoint } from './endpoint.ts';
import type { People, Person } from './people.ts';

interface Deps {
  people: People;
  accessTokens: AccessTokens;
}

/** `GET /wxa/checksession`: whether a backend's session key is still the user's. */
export function checksession(deps: Deps): Endpoint {
  return endpoint('/wxa/checksession', deps, () => ({ errcode: 0, errmsg: 'ok' }));
}

/** `GET /wxa/resetusersessionkey`: a new session key, for who has the present one. */
export function resetusersessionkey(deps: Deps): Endpoint {
  return endpoint('/wxa/resetusersessionkey', deps, (person) => {
    deps.people.rotate(person);
    return { errcode: 0, errmsg: 'ok', openid: person.openid, session_key: person.sessionKey };
  });
}

/** The key itself does not travel: its signature of the empty text proves that the backend has it. */
function endpoint(path: string, { people, accessTokens }: Deps, answerFor: (person: Person) => Answer): Endpoint {
  return {
    method: 'GET',
    path,
    charges: false,
    codeOf: () => undefined,
    answer({ query }) {
      const app = appOf(accessTokens, query);
      if ('refusal' in app) return app.refusal;
      const person = people.byOpenid(query.get('openid') ?? '', app.appId);
      if (!person) return refusal(40003);
      const expected = createHmac('sha256', person.sessionKey).update('').digest('hex');
      const isGood = query.get('sig_method') === 'hmac_sha256' && query.get('signature') === expected;
      return isGood ? answerFor(person) : refusal(87009);
    },
    succeeded: (given) => given['errcode'] === 0,
  };
}
