import { createDrawer, launchInJsdom, type Screen } from '../../preview/launch.ts';
import type { Program } from '../../preview/native.ts';
import { createPhone } from '../../preview/phone.ts';
import { sampleOrigin } from '../../preview/program.ts';
import { loadConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { startServer } from '../../src/server.ts';
import { startBackend } from '../support/backend.ts';

/** A real backend, a phone whose network leads to it, and the sample on its screen. */
export async function createStage({ program, user = 'xiaoming' }: { program: Program; user?: string }) {
  const backend = await startBackend();
  // The client reads the phone's clock, which is the real one.
  backend.clock.now = Date.now();
  const hosts: Record<string, string> = { [sampleOrigin]: backend.url };
  const phone = createPhone({ wechat: backend.standin, appId: backend.standin.apps[0].appId, user, hosts });
  const drawer = createDrawer();
  const screens: Screen[] = [];
  let stop = (): Promise<void> => backend.stopServer();

  return {
    backend,
    phone,
    /** Opens the mini program; what an earlier launch left in its storage is still there. */
    async launch(): Promise<Screen> {
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
    stored: () => backend.store.findUser(backend.standin.person(phone.settings.user).openid),
    stopServer: () => stop(),
    /** The same database, another process in all that matters. */
    async restartServer() {
      const log = createLog('fatal', { write: () => undefined });
      const server = await startServer(loadConfig(backend.environment), { log });
      hosts[sampleOrigin] = server.url;
      stop = () => server.close();
    },
    async close() {
      for (const screen of screens) screen.close();
      await stop();
      await backend.close();
    },
  };
}
