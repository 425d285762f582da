import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Backend, startBackend } from '../../../test/support/backend.ts';
import { clientCode } from './code.ts';
import { createPhone } from './phone.ts';

let code: string;
let backend: Backend;
let users = 0;

beforeAll(async () => {
  [code, backend] = await Promise.all([clientCode(), startBackend()]);
});
afterAll(() => backend.close());
beforeEach(() => backend.standin.phone.reset());

type Phone = ReturnType<typeof createPhone>;
type Wx = Parameters<Phone['platform']>[0];

/** Frameworks give something else back than WeChat's request task. */
const givingBack = (taskOf: (options: Parameters<Wx['request']>[0]) => unknown) => (wx: Wx) => ({
  ...wx,
  request(options: Parameters<Wx['request']>[0]) {
    wx.request(options);
    return taskOf(options);
  },
});

/** A promise beside the callbacks, which fails as `fail` does: as Taro's. */
function promised<Options extends { success: (answer: never) => void; fail: (refusal: never) => void }>(
  call: (options: Options) => unknown,
) {
  return (options: Options) =>
    new Promise((resolve, reject) => {
      const success = (answer: never) => (options.success(answer), resolve(answer));
      const fail = (refusal: never) => (options.fail(refusal), reject(refusal));
      call({ ...options, success, fail });
    });
}

const runtimes: [name: string, promise: 'native' | 'timers', platform: Phone['platform']][] = [
  ['iOS up to 15, whose Promise is made of timers and has no finally', 'timers', (wx) => wx],
  ['a platform whose request task has no abort', 'native', givingBack(() => ({}))],
  ['a platform without request tasks', 'native', givingBack(() => undefined)],
  ['a platform whose request task throws when it is aborted', 'native', givingBack(() => ({ abort: fail }))],
  [
    'Taro, whose functions also give promises',
    'native',
    (wx) => ({
      ...wx,
      request: promised((options: Parameters<Wx['request']>[0]) => wx.request(options)),
      login: promised((options: Parameters<Wx['login']>[0]) => wx.login(options)),
      checkSession: promised((options: Parameters<Wx['checkSession']>[0]) => wx.checkSession(options)),
    }),
  ],
];

function fail(): never {
  throw new Error('not supported here');
}

describe.each(runtimes)('on %s', (_, promise, platform) => {
  const createOddPhone = () =>
    Object.assign(createPhone({ backend, code, promise, user: `user-${(users += 1)}` }), { platform });

  it('the client logs in, calls, logs in anew after a revocation, and logs out', async () => {
    const phone = createOddPhone();
    const { api, session } = phone.launch();
    const { token } = await session.ensure();
    await session.login(phone.profile());
    await backend.client(session.peek()?.token).auth.logoutAll.mutate();
    const calls = [api.user.me.query(), api.user.me.query()];
    expect((await Promise.all(calls)).map(({ hasProfile }) => hasProfile)).toEqual([true, true]);
    expect(phone.counts.login).toBe(3);
    await api.auth.logout.mutate();
    expect(session.peek()).toBeUndefined();
    expect(token).toHaveLength(43);
    phone.close();
  });

  it('a failed login fails for all who wait, and the next attempt is a new one', async () => {
    const phone = createOddPhone();
    const { session, failureOf } = phone.launch();
    phone.loginFails = 'login:fail';
    const attempt = () =>
      session.ensure().then(
        () => 'logged in',
        (error: unknown) => failureOf(error).kind,
      );
    expect(await Promise.all([attempt(), attempt(), attempt().then(attempt)])).toEqual(Array(3).fill('wx-login'));
    expect(phone.counts.login).toBe(2);
    phone.loginFails = undefined;
    expect(await attempt()).toBe('logged in');
    phone.close();
  });

  it('a deadline and an abort each fail their call, once', async () => {
    const phone = createOddPhone();
    await phone.launch().session.ensure();
    const { api, failureOf, AbortController } = phone.launch({ timeoutMs: 300 });
    phone.beforeDelivery = ({ paths }) => (paths.includes('user.me') ? new Promise(() => undefined) : undefined);
    const controller = new AbortController();
    const kindOf = (call: Promise<unknown>) => call.catch((error: unknown) => failureOf(error).kind);
    const late = kindOf(api.user.me.query());
    const aborted = kindOf(api.user.me.query(undefined, { signal: controller.signal }));
    controller.abort();
    expect(await Promise.all([late, aborted])).toEqual(['timeout', 'aborted']);
    phone.close();
  });
});
