import { devApp, startStandin } from '@guoke/standin';
import { createLog } from 'guoke';
import { start } from './start.ts';

// `npm run dev`: the server with a stand-in for WeChat, without an account. Unexpected errors are shown in the terminal.

const standin = await startStandin();
const { appId, secret } = devApp;
const server = await start(
  { ...process.env, WX_APPID: appId, WX_SECRET: secret, WX_API_BASE_URL: standin.url },
  { log: { ...createLog('info'), unexpected: (error) => console.error(error) } },
);
console.log(`The server: ${server.url}  The stand-in for WeChat: ${standin.url}  Ctrl-C ends both.`);

process.once('SIGINT', () => void server.close().then(() => standin.close()));
