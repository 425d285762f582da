import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Backend, startBackend } from '../../../test/support/backend.ts';
import { clientCode } from './code.ts';
import { createPhone } from './phone.ts';

let code: string;
let backend: Backend;
let phone: ReturnType<typeof createPhone>;

beforeAll(async () => {
  [code, backend] = await Promise.all([clientCode(), startBackend()]);
});
afterAll(() => backend.close());
beforeEach(() => {
  backend.standin.phone.reset();
  phone = createPhone({ backend, code });
});
afterEach(() => phone.close());

describe('headers', () => {
  it('an owner’s headers go with each request, and are asked for each time', async () => {
    let count = 0;
    const { api, session } = phone.launch({ headers: () => ({ 'x-trace': `t${(count += 1)}` }) });
    await session.ensure();
    await api.user.me.query();
    expect(phone.sent.map(({ header }) => header['x-trace'])).toEqual(['t1', 't2']);
  });

  it('an owner’s headers may come as a promise, and never replace the token', async () => {
    const headers = () => Promise.resolve({ Authorization: 'Basic eDp5', 'X-Tenant': 'a' });
    const { api, session } = phone.launch({ headers });
    const { token } = await session.ensure();
    await api.user.me.query();
    const sent = phone.sent.map(({ header }) => [header['authorization'], header['Authorization'], header['x-tenant']]);
    expect(sent).toEqual([
      [undefined, undefined, 'a'],
      [`Bearer ${token}`, undefined, 'a'],
    ]);
  });

  it('headers that cannot be had fail the call as a mistake in the program', async () => {
    const { session, failureOf } = phone.launch({ headers: fail });
    const failure = await session.ensure().catch((error: unknown) => failureOf(error));
    expect(failure).toEqual({ kind: 'unexpected', retry: 'never' });
    expect(phone.sent).toEqual([]);
  });
});

describe('onFailure', () => {
  type Told = [kind: string, path: string];

  function launchTelling(options: Parameters<typeof phone.launch>[0] = {}) {
    const told: Told[] = [];
    return { told, ...phone.launch({ onFailure: ({ kind }, path) => void told.push([kind, path]), ...options }) };
  }

  it('onFailure is told of each call that fails, by its path, and of the wx.login behind it', async () => {
    const { api, session, told } = launchTelling();
    await api.auth.checkUser.mutate({ code: '?' }).catch(() => undefined);
    phone.loginFails = 'login:fail';
    await Promise.allSettled([session.ensure(), api.user.me.query()]);
    expect(told).toEqual([
      ['refused', 'auth.checkUser'],
      ['wx-login', 'wx.login'],
      ['wx-login', 'user.me'],
    ]);
  });

  it('onFailure is not told of a refusal that a new login repaired, nor of an aborted call', async () => {
    const { api, session, told, AbortController } = launchTelling();
    const { token } = await session.ensure();
    await backend.client(token).auth.logout.mutate();
    await api.user.me.query();
    const controller = new AbortController();
    const aborted = api.user.me.query(undefined, { signal: controller.signal });
    controller.abort();
    await aborted.catch(() => undefined);
    expect(told).toEqual([]);
  });

  it('onFailure is told once of a profile that is refused', async () => {
    const { session, told } = launchTelling();
    await session.login({ ...phone.profile(), signature: '0'.repeat(40) }).catch(() => undefined);
    expect(told).toEqual([['refused', 'auth.login']]);
  });
});

describe('overContainer', () => {
  const container = { env: 'prod-1a2b', service: 'login' };

  interface Call {
    config: { env: string };
    path: string;
    timeout: number;
    header: Record<string, string>;
    data: string;
  }

  /** A phone whose `wx.cloud` reaches the backend, and which has no domain to reach. */
  function cloudPhone() {
    const calls: Call[] = [];
    phone.platform = (wx) => ({
      ...wx,
      request: undefined,
      cloud: {
        callContainer(call: Call & Parameters<typeof wx.request>[0]) {
          calls.push(call);
          return wx.request({ ...call, url: backend.url + call.path });
        },
      },
    });
    return calls;
  }

  it('overContainer logs in and calls through WeChat’s 云托管, by the paths alone', async () => {
    const calls = cloudPhone();
    const { api, session } = launchOver();
    await session.ensure();
    await session.login(phone.profile());
    expect(await api.user.me.query()).toMatchObject({ hasProfile: true });
    expect(calls.map(({ path }) => path)).toEqual([
      '/trpc/auth.checkUser?batch=1',
      '/trpc/auth.login?batch=1',
      '/trpc/user.me?batch=1',
    ]);
    for (const { config, header, timeout } of calls) {
      expect([config, header['X-WX-SERVICE'], timeout]).toEqual([{ env: container.env }, container.service, 15_000]);
    }
  });

  it('overContainer sends nothing larger than WeChat takes, and tells TOO_LARGE', async () => {
    const calls = cloudPhone();
    const { api, session, failureOf } = launchOver();
    await session.ensure();
    const avatarOf = (length: number) =>
      api.user.updateProfile.mutate({ avatar: 'A'.repeat(length) }).catch((error: unknown) => failureOf(error));
    expect(await avatarOf(100_000)).toMatchObject({ kind: 'refused', reason: 'TOO_LARGE', retry: 'never' });
    expect(calls).toHaveLength(1);
    expect(await avatarOf(99_000)).toMatchObject({ kind: 'refused', reason: 'INPUT_INVALID', fields: ['avatar'] });
  });

  it('overContainer tells a wx without cloud as network', async () => {
    phone.platform = (wx) => ({ ...wx, request: undefined });
    const { session, failureOf } = launchOver();
    expect(await session.ensure().catch((error: unknown) => failureOf(error))).toMatchObject({ kind: 'network' });
  });

  /** As an app does it: both come from one copy of the package, and `wx` is the global one. */
  function launchOver() {
    return phone.launch({ transportOf: ({ overContainer }) => overContainer(container) });
  }
});

function fail(): never {
  throw new TypeError('of the page');
}
