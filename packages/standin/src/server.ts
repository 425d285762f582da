import { once } from 'node:events';
import { createServer } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { createAccessTokens } from './access-tokens.ts';
import { createApp } from './app.ts';
import { createCodes } from './codes.ts';
import { imgSecCheck, msgSecCheck } from './content-check.ts';
import { createFaults } from './faults.ts';
import { getpluginopenpid } from './getpluginopenpid.ts';
import { getuserphonenumber } from './getuserphonenumber.ts';
import { jscode2session } from './jscode2session.ts';
import { type App, type Person, createPeople } from './people.ts';
import { type Phone, type RotatePolicy, createPhone } from './phone.ts';
import type { PushTarget } from './push.ts';
import { checksession, resetusersessionkey } from './session-key-state.ts';
import { stableToken } from './stable-token.ts';
import { createTraffic } from './traffic.ts';
import type { Language } from './welcome.ts';

/** The app that exists by default. Its secret is public. */
export const devApp: App = { appId: 'wx0123456789abcdef', secret: '0123456789abcdef0123456789abcdef' };

/** Where pushes go when nothing else is said: to a backend on its default port. Both are public. */
export const devPush = {
  token: 'devpushtoken',
  aesKey: '0123456789abcdef0123456789abcdef0123456789a',
};

/** Where to listen, and what WeChat knows at the start. */
export interface StandinOptions {
  /** 0, the default, takes any free port. */
  port?: number;
  host?: string;
  /** The first one is meant where no app is named. */
  apps?: readonly [App, ...App[]];
  rotate?: RotatePolicy;
  /** The backend's origin, or a whole address, and its secrets: for `phone.push`. */
  push?: Partial<PushTarget>;
  /** Milliseconds. Codes age and watermarks are dated by it; delays are in real time. */
  now?: () => number;
  /** Of the page at its address; `en` by default. */
  language?: Language;
  log?: (line: string) => void;
}

/** A running stand-in. */
export interface Standin {
  /** The origin, for WX_API_BASE_URL. */
  url: string;
  apps: readonly [App, ...App[]];
  /** The phone's side without HTTP. */
  phone: Phone;
  /** What WeChat knows of a user, the session key included. Made on first use. */
  person(user: string, appId?: string): Readonly<Person>;
  /** The query of the latest exchange as name and value pairs, decoded, the secret included. */
  lastExchange(): [name: string, value: string][] | undefined;
  /** Resets every connection and refuses new ones: for that long, or until `back` or `close`. */
  away(ms?: number): Promise<void>;
  back(): Promise<void>;
  close(): Promise<void>;
}

/** Starts a stand-in for api.weixin.qq.com. Rejects when the port is taken. */
export async function startStandin(options: StandinOptions = {}): Promise<Standin> {
  const { port = 0, host = '127.0.0.1', apps = [devApp], rotate = 'onRequest', push, now = Date.now } = options;
  const { language = 'en', log } = options;
  const people = createPeople({ apps });
  const codes = createCodes({ now });
  const faults = createFaults();
  const traffic = createTraffic();
  const phoneCodes = createCodes({ now });
  const pluginCodes = createCodes({ now });
  const accessTokens = createAccessTokens({ now });
  const exchange = jscode2session({ people, codes });
  const endpoints = [
    exchange,
    stableToken({ people, accessTokens }),
    getuserphonenumber({ accessTokens, phoneCodes, now }),
    checksession({ people, accessTokens }),
    resetusersessionkey({ people, accessTokens }),
    getpluginopenpid({ accessTokens, pluginCodes }),
    msgSecCheck({ people, accessTokens }),
    imgSecCheck({ accessTokens }),
  ];
  const phone = createPhone({
    people,
    codes,
    phoneCodes,
    pluginCodes,
    accessTokens,
    faults,
    traffic,
    defaultAppId: apps[0].appId,
    rotatePolicy: rotate,
    pushTarget: { url: 'http://127.0.0.1:8080', ...devPush, ...push },
    now,
  });
  const app = createApp({
    endpoints,
    phone,
    faults,
    traffic,
    defaultAppId: apps[0].appId,
    language,
    host,
    away: (ms) => void away(ms),
    log,
  });

  // The listener never rejects: what goes wrong in the app becomes a 500.
  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  const server = createServer((incoming, outgoing) => void listener(incoming, outgoing));
  const listen = async (on: number): Promise<number> => {
    server.listen(on, host);
    await once(server, 'listening');
    const address = server.address();
    return typeof address === 'object' && address ? address.port : on;
  };
  const bound = await listen(port);
  let returning: NodeJS.Timeout | undefined;
  let closed = false;

  async function stop(): Promise<void> {
    clearTimeout(returning);
    if (!server.listening) return;
    const stopped = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await stopped;
  }

  async function away(ms?: number): Promise<void> {
    await stop();
    clearTimeout(returning);
    if (ms !== undefined && !closed) returning = setTimeout(() => void back(), ms);
  }

  async function back(): Promise<void> {
    clearTimeout(returning);
    if (!server.listening) await listen(bound);
  }

  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    apps,
    phone,
    person: (user, appId = apps[0].appId) => {
      const known = people.app(appId);
      if (!known) throw new Error(`the stand-in was started without the app ${appId}`);
      return { ...people.find(user, known) };
    },
    lastExchange: () => {
      const query = traffic.lastQuery(exchange.path);
      return query && [...query];
    },
    away,
    back,
    close: () => {
      closed = true;
      return stop();
    },
  };
}
