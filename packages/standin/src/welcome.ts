import type { Endpoint } from './endpoint.ts';

interface Facts {
  /** The stand-in's own origin. */
  url: string;
  appId: string;
  endpoints: ReadonlyArray<Pick<Endpoint, 'method' | 'path'>>;
  language: Language;
}

/** The languages of the page at the stand-in's address. */
export type Language = 'en' | 'zh';

/** What a person reads who opens the stand-in's address in a browser: plain text, with lines to paste. */
export function welcome({ url, appId, endpoints, language }: Facts): string {
  const texts = pages[language](appId, url);
  return `${texts.title}

${texts.backend}

${endpoints.map(({ method, path }) => `  ${method.padEnd(4)} ${path}`).join('\n')}

${texts.phone}

  curl -s ${url}/phone/login -d '{"user":"xiaoming"}'      # ${texts.login}
  curl -s ${url}/phone/profile -d '{"user":"xiaoming"}'    # ${texts.profile}
  curl -s ${url}/phone/stats                               # ${texts.stats}

${texts.more}
`;
}

const pages = {
  en: (appId: string, url: string) => ({
    title: `A stand-in for api.weixin.qq.com, for development and tests.
It knows the mini program ${appId}. Nothing here reaches WeChat.`,
    backend: `WeChat's side, for the backend with WX_API_BASE_URL=${url}:`,
    phone: "The phone's side, for you:",
    login: 'wx.login: a code',
    profile: 'wx.getUserProfile: signed and sealed',
    stats: 'what was asked so far',
    more: 'All of it: docs/standin.md',
  }),
  zh: (appId: string, url: string) => ({
    title: `模拟微信服务，顶替 api.weixin.qq.com，供开发和测试用。
它认识的小程序是 ${appId}。这里的请求都不会到达微信。`,
    backend: `微信一侧，给设了 WX_API_BASE_URL=${url} 的后端：`,
    phone: '手机一侧，给你用：',
    login: 'wx.login：一个 code',
    profile: 'wx.getUserProfile：签过名、加过密的资料',
    stats: '至今收到过哪些请求',
    more: '全部说明：docs/zh/standin.md',
  }),
};
