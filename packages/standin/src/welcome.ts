import type { Endpoint } from './endpoint.ts';

interface Facts {
  /** The stand-in's own origin. */
  url: string;
  appId: string;
  endpoints: ReadonlyArray<Pick<Endpoint, 'method' | 'path'>>;
}

/** What a person reads who opens the stand-in's address in a browser: plain text, with lines to paste. */
export function welcome({ url, appId, endpoints }: Facts): string {
  return `A stand-in for api.weixin.qq.com, for development and tests: 替身微信
It knows the mini program ${appId}. Nothing here reaches WeChat.

WeChat's side, for the backend with WX_API_BASE_URL=${url}:

${endpoints.map(({ method, path }) => `  ${method.padEnd(4)} ${path}`).join('\n')}

The phone's side, for you:

  curl -s ${url}/phone/login -d '{"user":"xiaoming"}'      # wx.login: a code
  curl -s ${url}/phone/profile -d '{"user":"xiaoming"}'    # wx.getUserProfile: signed and sealed
  curl -s ${url}/phone/stats                               # what was asked so far

All of it: docs/standin.md
`;
}
