import { parseArgs } from 'node:util';
import closeWithGrace from 'close-with-grace';
import { people } from './people.ts';
import { startPreview } from './server.ts';
import { loadConfig } from '../../src/config.ts';
import { chooseLanguage, type Language } from '../../src/cli/language.ts';
import { backendPage } from './dev/backend-page.ts';
import { chinese } from './dev/chinese.ts';
import { english } from './dev/english.ts';
import { firstLogin } from './dev/first-login.ts';
import { openRun } from './dev/run.ts';
import { addresses, curlLines, restarted, story } from './dev/words.ts';
import { createLog } from '../../src/operations/log.ts';
import { startServer } from '../../src/server.ts';
import { devApp, devPush, startStandin } from '../standin/src/server.ts';

// `npm run dev`: everything on this machine, with no configuration, no WeChat account and no database server. tsx starts it
// again when a file changes.

const language = wantedLanguage();
const texts = { en: english, zh: chinese }[language];
const standin = await startOnFreePort(8081, (port) => startStandin({ port, language }));
const server = await startOnFreePort(Number(process.env.PORT ?? 8080), (port) =>
  startServer(configOf(port), {
    log: { ...createLog(configOf(port).settings.logLevel), unexpected: (error) => console.error(error) },
    app: (app) => app.get('/', (c) => c.text(backendPage(texts))),
  }),
);
// 小明 of the story is new at each start, and then holds the phone of the preview as a user who comes back.
const { user, isRestart } = openRun();
const preview = await startOnFreePort(8082, (port) =>
  startPreview({
    port,
    standin,
    backendUrl: server.url,
    readRow: (openId) => server.store.findUser(openId),
    people: [...people, { user, note: { zh: '终端里登录过', en: 'logged in above' } }],
    language,
  }),
);
closeWithGrace({ delay: 5000, logger: false }, async ({ err }) => {
  if (err) console.error(err);
  await preview.close();
  await server.close();
  await standin.close();
});

const avatarUrl = `${preview.url}/people/xiaoming.png`;
if (isRestart) {
  console.log(restarted({ preview: preview.url, backend: server.url }, texts));
} else {
  console.log(story(await firstLogin(server, standin, { user, avatarUrl }), texts));
  console.log(curlLines(server.url, standin.url, texts));
  console.log(addresses({ preview: preview.url, backend: server.url, standin: standin.url }, texts));
}

/** `npm run dev -- --lang zh`, or that of the environment. */
function wantedLanguage(): Language {
  try {
    return chooseLanguage(parseArgs({ options: { lang: { type: 'string' } } }).values.lang);
  } catch {
    console.error('npm run dev -- --lang zh|en');
    return process.exit(2);
  }
}

function configOf(port: number) {
  return loadConfig({
    DATABASE_URL: 'file:.data/dev.db',
    LOG_LEVEL: 'warn',
    ...process.env,
    WX_APPID: devApp.appId,
    WX_SECRET: devApp.secret,
    WX_APPS: undefined,
    WX_API_BASE_URL: standin.url,
    WX_PUSH: `${devApp.appId}:${devPush.token}:${devPush.aesKey}`,
    PORT: String(port),
  });
}

/** The usual port, or any other when that one is taken. */
async function startOnFreePort<Started>(port: number, start: (port: number) => Promise<Started>): Promise<Started> {
  try {
    return await start(port);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    console.log(texts.portIsTaken(port));
    return start(0);
  }
}
