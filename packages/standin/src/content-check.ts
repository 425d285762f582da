import { randomUUID } from 'node:crypto';
import type { AccessTokens } from './access-tokens.ts';
import { refusal } from './answer.ts';
import { appOf } from './authorized.ts';
import { type Endpoint, fieldsOf } from './endpoint.ts';
import type { People } from './people.ts';

interface Deps {
  people: People;
  accessTokens: AccessTokens;
}

/** Texts with these words get a verdict other than `pass`. */
const verdicts = [
  { word: '违规', suggest: 'risky', label: 20006 },
  { word: '存疑', suggest: 'review', label: 20006 },
];

/** `POST /wxa/msg_sec_check`, version 2: `违规` in the text is risky, `存疑` is for review. */
export function msgSecCheck({ people, accessTokens }: Deps): Endpoint {
  return {
    method: 'POST',
    path: '/wxa/msg_sec_check',
    charges: false,
    codeOf: () => undefined,
    answer({ query, body }) {
      const app = appOf(accessTokens, query);
      if ('refusal' in app) return app.refusal;
      const { version, scene, openid, content } = fieldsOf(body) ?? {};
      if (version !== 2 || ![1, 2, 3, 4].includes(Number(scene)) || typeof content !== 'string') return refusal(47001);
      if (content.length > 2500) return refusal(40129);
      if (typeof openid !== 'string' || !people.byOpenid(openid, app.appId)) return refusal(40003);
      const { suggest = 'pass', label = 100 } = verdicts.find(({ word }) => content.includes(word)) ?? {};
      return { errcode: 0, errmsg: 'ok', result: { suggest, label }, trace_id: randomUUID() };
    },
    succeeded: (given) => given['errcode'] === 0,
  };
}

/** `POST /wxa/img_sec_check`: every picture is good. A risky one is a fault, `{ kind: "errcode", errcode: 87014 }`. */
export function imgSecCheck({ accessTokens }: Pick<Deps, 'accessTokens'>): Endpoint {
  return {
    method: 'POST',
    path: '/wxa/img_sec_check',
    charges: false,
    codeOf: () => undefined,
    answer({ query, body, contentType }) {
      const app = appOf(accessTokens, query);
      if ('refusal' in app) return app.refusal;
      const isForm = contentType.startsWith('multipart/form-data; boundary=');
      const hasPicture = /\r\ncontent-disposition: form-data; name="media"; filename="[^"]+"\r\n/i.test(body);
      if (!isForm || !hasPicture) return refusal(41005);
      return { errcode: 0, errmsg: 'ok' };
    },
    succeeded: (given) => given['errcode'] === 0,
  };
}
