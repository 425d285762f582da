import { createDrawer, launchInJsdom, type Screen } from '../launch.ts';
import type { Program } from '../native.ts';
import { createPhone } from '../phone.ts';
import { sampleOrigin } from '../program.ts';
import { loadConfig } from '../../../src/config.ts';
import { createLog } from '../../../src/operations/log.ts';
import { startServer } from '../../../src/server.ts';
import { devApp, devPush } from '../../standin/src/server.ts';
import { startBackend } from '../../../test/support/backend.ts';

/** The backend's WX_PUSH for what the stand-in pushes. */
export const pushSetting = { WX_PUSH: `${devApp.appId}:${devPush.token}:${devPush.aesKey}` };

/** A real backend, a phone whose network leads to it, and the sample on its screen. */
export async function createStage({
  program,
  user = 'xiaoming',
  app = devApp,
  env = {},
}: {
  program: Program;
  user?: string;
  /** The mini program that the phone has open; the backend's own unless told otherwise. */
  app?: typeof devApp;
  env?: Record<string, string>;
}) {
  const backend = await startBackend({ env, standin: { apps: [app] } });
  // A server that is started again below has no clock but the real one.
  backend.clock.now = Date.now();
  const hosts: Record<string, string> = { [sampleOrigin]: backend.url };
  const phone = createPhone({
    wechat: backend.standin,
    appId: backend.standin.apps[0].appId,
    user,
    hosts,
    backendUrl: backend.url,
  });
  const usualDrawer = createDrawer();
  const screens: Screen[] = [];
  let { store } = backend;
  let stop = (): Promise<void> => backend.stopServer();

  return {
    backend,
    phone,
    /** Opens the mini program; what an earlier launch left in its storage is still there, save on a phone of its own. */
    async launch({ onAnotherPhone = false } = {}): Promise<Screen> {
      const drawer = onAnotherPhone ? createDrawer() : usualDrawer;
      const screen = await launchInJsdom({ program, native: phone, drawer });
      screens.push(screen);
      return screen;
    },
    /** What was called since the last time this was asked, in order. */
    calls() {
      const names = phone.calls.map(({ name, status }) => `${name} ${status}`);
      phone.forgetCalls();
      return names;
    },
    /** Keeps the answers of one procedure back until the function it gives back is called. */
    holdAnswersOf(path: string): () => void {
      const request = phone.request.bind(phone);
      let release = (): void => undefined;
      const released = new Promise<void>((resolve) => {
        release = resolve;
      });
      phone.request = (options) => {
        const task = request(options);
        if (!options.url.includes(path)) return task;
        return { ...task, answer: task.answer.then((answer) => released.then(() => answer)) };
      };
      return release;
    },
    stored: () => store.findUser(backend.standin.person(phone.settings.user).openid),
    stopServer: () => stop(),
    /** The same database, another process in all that matters. */
    async restartServer() {
      const log = createLog('fatal', { write: () => undefined });
      const server = await startServer(loadConfig(backend.environment), { log });
      hosts[sampleOrigin] = server.url;
      ({ store } = server);
      stop = () => server.close();
    },
    async close() {
      for (const screen of screens) screen.close();
      await stop();
      await backend.close();
    },
  };
}

/** Taps twice before the page's view has heard of the first tap: on a phone it lags behind the page's code. */
export function tapTwice(screen: Screen, selector: string): void {
  screen.tapElement(selector);
  screen.document.querySelector(selector)?.removeAttribute('disabled');
  screen.tapElement(selector);
}

/** Closes the agreement that a new user is shown first. */
export async function agreeToPrivacy(screen: Screen): Promise<void> {
  await screen.see('用户隐私保护提示');
  screen.tap('同意并继续');
}

/** Taps the button, and allows what WeChat then asks. */
export async function allowProfile(screen: Screen): Promise<void> {
  screen.tap('获取用户数据');
  await screen.see('允许');
  screen.tap('允许');
}
