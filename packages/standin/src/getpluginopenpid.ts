import type { AccessTokens } from './access-tokens.ts';
import { refusal } from './answer.ts';
import { appOf } from './authorized.ts';
import type { Codes } from './codes.ts';
import { codeIn, type Endpoint, fieldsOf } from './endpoint.ts';

interface Deps {
  accessTokens: AccessTokens;
  /** The codes of `wx.pluginLogin`, not those of `wx.login`. */
  pluginCodes: Codes;
}

/** `POST /wxa/getpluginopenpid`: who the user is to a plugin. */
export function getpluginopenpid({ accessTokens, pluginCodes }: Deps): Endpoint {
  return {
    method: 'POST',
    path: '/wxa/getpluginopenpid',
    charges: false,
    codeOf: ({ body }) => codeIn(body),
    answer({ query, body }, { spend }) {
      const app = appOf(accessTokens, query);
      if ('refusal' in app) return app.refusal;
      if (!fieldsOf(body)) return refusal(47001);
      const found = pluginCodes.find(codeIn(body) ?? '', app.appId);
      if (found.state !== 'good') return refusal(40029);
      if (spend) found.spend();
      return { openpid: found.person.openpid };
    },
    succeeded: (given) => 'openpid' in given,
  };
}
