import { Agent, request } from 'node:http';
import vm from 'node:vm';
import type * as Package from '../types/index.js';
import type { Backend } from '../../../test/support/backend.ts';
import { timerPromise } from './timer-promise.ts';

type RequestOptions = Parameters<Package.Wx['request']>[0];

/** One request that left the phone, and what came back. */
export interface Sent {
  url: string;
  header: Record<string, string>;
  body: Record<string, unknown>;
  /** The procedures in the batch. */
  paths: string[];
  aborted: boolean;
}

interface PhoneOptions {
  backend: Pick<Backend, 'standin' | 'url'>;
  /** Whose phone it is, to the stand-in. */
  user?: string;
  /** The mini program that is open. */
  appId?: string;
  code: string;
  /** What WeChat's storage holds at launch. */
  storage?: Map<string, unknown>;
  /** `timers`: the Promise of iOS up to 15. */
  promise?: 'native' | 'timers';
}

interface LaunchOptions extends Partial<Package.ClientOptions> {
  /** A transport of the launched copy of the package. */
  transportOf?: (own: Pick<typeof Package, 'overContainer'>) => Package.Transport;
}

/**
 * A mini program's runtime: a bare realm of ECMAScript built-ins, timers and a `wx` whose requests are real HTTP and
 * whose codes are the stand-in's. `launch` runs the bundle there anew, as opening the mini program does.
 */
export function createPhone({
  backend,
  user = 'xiaoming',
  appId = backend.standin.apps[0].appId,
  code,
  storage = new Map(),
  promise = process.env.GUOKE_CLIENT_PROMISE === 'timers' ? 'timers' : 'native',
}: PhoneOptions) {
  const { standin } = backend;
  const counts = { login: 0, checkSession: 0 };
  const sent: Sent[] = [];
  const agent = new Agent({ keepAlive: true });
  const phone = {
    counts,
    sent,
    storage,
    /** The calls of one procedure that left the phone. */
    callsOf: (path: string) => sent.filter(({ paths }) => paths.includes(path)).length,
    /** Stands between the network and the page: an answer is delivered when this has resolved. */
    beforeDelivery: (_request: Sent): Promise<void> | void => undefined,
    loginFails: undefined as string | undefined,
    loginHangs: false,
    /** What `wx.checkSession` fails with, whatever WeChat thinks. */
    checkSessionFails: undefined as string | undefined,
    checkSessionHangs: false,
    /** How this platform differs from WeChat's as it is. */
    platform: (own: Package.Wx): object => own,
    /** What `wx.getAccountInfoSync` does; undefined where the base library has none. */
    accountInfo: (() => ({ miniProgram: { appId } })) as Package.Wx['getAccountInfoSync'],
    profile: () => standin.phone.profile({ user, appId }),
    launch<TRouter extends Package.Router = Package.AppRouter>({ transportOf, ...options }: LaunchOptions = {}) {
      const { createClient, ...rest } = run(code);
      const transport = transportOf && { transport: transportOf(rest) };
      return { ...createClient<TRouter>({ baseUrl: backend.url, ...transport, ...options }), ...rest };
    },
    close: () => agent.destroy(),
  };

  const wx: Package.Wx = {
    login({ success, fail }) {
      counts.login += 1;
      if (phone.loginHangs) return;
      setTimeout(() => {
        if (phone.loginFails !== undefined) fail({ errMsg: phone.loginFails });
        else success(standin.phone.login({ user, appId }));
      });
    },
    checkSession({ success, fail }) {
      counts.checkSession += 1;
      if (phone.checkSessionHangs) return;
      const errMsg = phone.checkSessionFails ?? standin.phone.checkSession({ user, appId }).errMsg;
      setTimeout(() => (errMsg === 'checkSession:ok' ? success() : fail({ errMsg })));
    },
    request(options) {
      const { url, header, data } = options;
      const entry: Sent = { url, header, body: JSON.parse(data) as Sent['body'], paths: pathsOf(url), aborted: false };
      sent.push(entry);
      return send(options, entry);
    },
    // As WeChat's does, an empty string for what is not there.
    getStorageSync: (key) => storage.get(key) ?? '',
    setStorageSync: (key, value) => void storage.set(key, value),
    removeStorageSync: (key) => void storage.delete(key),
  };

  function send({ url, method, data, header, dataType, success, fail }: RequestOptions, entry: Sent) {
    let over = false;
    const once = (finish: () => void) => {
      if (over) return;
      over = true;
      finish();
    };
    const failed = (errMsg: string) => once(() => fail({ errMsg: `request:fail ${errMsg}` }));
    const outgoing = request(url, { method, headers: header, agent }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', (error) => failed(error.message));
      answer.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const statusCode = answer.statusCode ?? 0;
        // WeChat's phones do not agree on the case of header names.
        const headers = Object.entries(answer.headers).map(([name, value]) => [name.replace(/^x-r/, 'X-R'), value]);
        const body: unknown = dataType === 'text' ? text : JSON.parse(text);
        void Promise.resolve(phone.beforeDelivery(entry)).then(() =>
          once(() => success({ statusCode, data: body, header: Object.fromEntries(headers) as object })),
        );
      });
    });
    outgoing.on('error', (error) => failed(error.message));
    outgoing.end(data);
    return {
      abort() {
        entry.aborted = true;
        outgoing.destroy();
        failed('abort');
      },
    };
  }

  /** Runs the bundle where nothing but the built-ins, timers and `wx` can be seen. */
  function run(text: string): typeof Package {
    const realm = vm.createContext(Object.create(null) as object);
    // The language itself names the global object; WeChat does not have that name everywhere.
    const compile = (source: string, names: string[]) =>
      vm.compileFunction(source, names, { parsingContext: realm }) as (...args: unknown[]) => unknown;
    const Promise: unknown =
      promise === 'timers' ? compile(timerPromise, ['setTimeout'])(setTimeout) : compile('return Promise', [])();
    const visible = ['module', 'exports', 'wx', 'setTimeout', 'clearTimeout', 'Promise', 'globalThis', 'console'];
    const module = { exports: {} };
    const { accountInfo: getAccountInfoSync } = phone;
    const platform = phone.platform({ ...wx, ...(getAccountInfoSync && { getAccountInfoSync }) });
    compile(text, visible)(module, module.exports, platform, setTimeout, clearTimeout, Promise);
    return module.exports as typeof Package;
  }

  return Object.assign(phone, { wx });
}

function pathsOf(url: string): string[] {
  return new URL(url).pathname.replace('/trpc/', '').split(',');
}
