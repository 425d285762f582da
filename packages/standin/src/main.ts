import { devApp, devPush, startStandin } from './server.ts';

const {
  HOST = '127.0.0.1',
  PORT = '8081',
  WX_APPID = devApp.appId,
  WX_SECRET = devApp.secret,
  PUSH_TOKEN = devPush.token,
  PUSH_AES_KEY = devPush.aesKey,
  STANDIN_LOG,
} = process.env;

const standin = await startStandin({
  host: HOST,
  port: Number(PORT),
  apps: [{ appId: WX_APPID, secret: WX_SECRET, union: true }],
  push: { token: PUSH_TOKEN, aesKey: PUSH_AES_KEY },
  ...(STANDIN_LOG && { log: (line: string) => console.log(line) }),
}).catch((error: unknown) => {
  console.error(
    `The stand-in cannot listen on ${HOST}:${PORT}: ${error instanceof Error ? error.message : String(error)}`,
  );
  console.error('Set PORT to a free port and start it again.');
  process.exit(1);
});

// A secret that is the user's own is not printed; the shell fills it in.
const secret = WX_SECRET === devApp.secret ? devApp.secret : '$WX_SECRET';

console.log(`A stand-in for api.weixin.qq.com, for development and tests. It knows the mini program ${WX_APPID}.
It listens on ${standin.url}; give that to the backend as WX_API_BASE_URL. Ctrl-C ends it.

A phone calls wx.login, and the code is exchanged:

  CODE=$(curl -s ${standin.url}/phone/login -d '{"user":"xiaoming"}' | sed 's/.*"code":"\\([^"]*\\)".*/\\1/')
  curl -s "${standin.url}/sns/jscode2session?appid=${WX_APPID}&secret=${secret}&js_code=$CODE&grant_type=authorization_code"

A phone calls wx.getUserProfile; WeChat is busy for the next exchange; what was asked so far:

  curl -s ${standin.url}/phone/profile -d '{"user":"xiaoming"}'
  curl -s ${standin.url}/phone/fault -d '{"fault":{"kind":"errcode","errcode":-1}}'
  curl -s ${standin.url}/phone/stats

All of it: docs/standin.md.`);

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void standin.close());
