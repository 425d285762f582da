import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import vm from 'node:vm';
import { bundle } from '../../client/bundle.ts';
import type * as Package from '../../client/types/index.js';
import type { Backend } from '../support/backend.ts';

/** The bundle's text, built as `npm run build` does it unless told otherwise. */
export async function bundleText(inject?: string[]): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'guoke-bundle-'));
  try {
    const outfile = join(directory, 'index.js');
    await bundle({ format: 'cjs', outfile, ...(inject && { inject }) });
    return readFileSync(outfile, 'utf8');
  } finally {
    rmSync(directory, { recursive: true });
  }
}

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
  backend: Pick<Backend, 'standin' | 'clock' | 'url'>;
  /** Whose phone it is, to the stand-in. */
  user?: string;
  code: string;
  /** What WeChat's storage holds at launch. */
  storage?: Map<string, unknown>;
}

/**
 * A mini program's runtime: a bare realm of ECMAScript built-ins, timers and a `wx` whose requests are real HTTP and
 * whose codes are the stand-in's. `launch` runs the bundle there anew, as opening the mini program does.
 */
export function createPhone({ backend, user = 'xiaoming', code, storage = new Map() }: PhoneOptions) {
  const { standin, clock } = backend;
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
    profile: () => standin.phone.profile({ user }),
    launch<TRouter extends Package.Router = Package.AppRouter>(options: Partial<Package.ClientOptions> = {}) {
      const { createClient, ...rest } = run(code);
      return { ...createClient<TRouter>({ baseUrl: backend.url, ...options }), ...rest };
    },
    close: () => agent.destroy(),
  };

  const wx: Package.Wx & { getStorageSync(key: string): unknown } = {
    login({ success, fail }) {
      counts.login += 1;
      if (phone.loginHangs) return;
      setTimeout(() => {
        if (phone.loginFails !== undefined) fail({ errMsg: phone.loginFails });
        else success(standin.phone.login({ user }));
      });
    },
    checkSession({ success, fail }) {
      counts.checkSession += 1;
      const { errMsg } = standin.phone.checkSession({ user });
      setTimeout(errMsg === 'checkSession:ok' ? success : fail);
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
    vm.runInContext('Date', realm).now = () => clock.now;
    // The language itself names the global object; WeChat does not have that name everywhere.
    const factory = vm.compileFunction(
      text,
      ['module', 'exports', 'wx', 'setTimeout', 'clearTimeout', 'globalThis', 'console'],
      {
        parsingContext: realm,
      },
    ) as (...args: unknown[]) => void;
    const module = { exports: {} };
    factory(module, module.exports, wx, setTimeout, clearTimeout);
    return module.exports as typeof Package;
  }

  return phone;
}

function pathsOf(url: string): string[] {
  return new URL(url).pathname.replace('/trpc/', '').split(',');
}
