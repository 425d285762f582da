import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Backend, startBackend } from '../../../test/support/backend.ts';
import { clientCode } from './code.ts';
import { createPhone } from './phone.ts';

const day = 24 * 60 * 60 * 1000;

let code: string;
let backend: Backend;
let phone: ReturnType<typeof createPhone>;
let users = 0;

beforeAll(async () => {
  [code, backend] = await Promise.all([clientCode(), startBackend()]);
});
afterAll(() => backend.close());
beforeEach(() => {
  backend.standin.phone.reset();
  phone = createPhone({ backend, code, user: `user-${(users += 1)}` });
});
afterEach(() => phone.close());

const exchanges = () => backend.standin.phone.stats().paths['/sns/jscode2session']?.requests ?? 0;

/** Revokes a token behind the phone's back. */
const revoke = (token: string) => backend.client(token).auth.logout.mutate();

/** A promise and the function that fulfils it. */
function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

describe('the first launch', () => {
  it('a first launch logs in with one code and one call', async () => {
    const { session } = phone.launch();
    expect(session.peek()).toBeUndefined();
    const state = await session.ensure();
    expect(state).toMatchObject({
      hasProfile: false,
      user: { nickName: null },
      expiresAt: backend.clock.now + 7 * day,
    });
    expect(session.peek()).toEqual(state);
    expect(phone.counts).toEqual({ login: 1, checkSession: 0 });
    expect(exchanges()).toBe(1);
    expect(phone.sent.map(({ paths }) => paths)).toEqual([['auth.checkUser']]);
  });

  it('five simultaneous calls share one code, and then travel together', async () => {
    const { api } = phone.launch();
    const users = await Promise.all(Array.from({ length: 5 }, () => api.user.me.query()));
    expect(users.map(({ hasProfile }) => hasProfile)).toEqual([false, false, false, false, false]);
    expect(phone.counts.login).toBe(1);
    expect(exchanges()).toBe(1);
    expect(phone.sent.map(({ paths }) => paths)).toEqual([['auth.checkUser'], Array(5).fill('user.me')]);
  });

  it('a login that fails fails for all calls that wait, and the next call tries anew', async () => {
    const { api, session, failureOf } = phone.launch();
    phone.loginFails = 'login:fail';
    const failed = await Promise.allSettled([session.ensure(), api.user.me.query(), api.user.me.query()]);
    const kinds = failed.map((result) => failureOf(result.status === 'rejected' ? result.reason : undefined).kind);
    expect(kinds).toEqual(['wx-login', 'wx-login', 'wx-login']);
    expect(phone.counts.login).toBe(1);
    phone.loginFails = undefined;
    await expect(api.user.me.query()).resolves.toMatchObject({ hasProfile: false });
  });
});

describe('a later launch', () => {
  it('a later launch uses the stored session, and asks checkSession once', async () => {
    const state = await phone.launch().session.ensure();
    const { api, session } = phone.launch();
    expect(await Promise.all([session.ensure(), session.ensure(), api.user.me.query()])).toEqual([
      state,
      state,
      state.user,
    ]);
    await session.ensure();
    expect(phone.counts).toEqual({ login: 1, checkSession: 1 });
  });

  it('a session key that WeChat no longer honours causes one new login', async () => {
    const state = await phone.launch().session.ensure();
    backend.standin.phone.rotate({ user: `user-${users}` });
    const { api, session } = phone.launch();
    const [renewed] = await Promise.all([session.ensure(), api.user.me.query(), api.user.me.query()]);
    await session.ensure();
    expect(renewed.token).not.toBe(state.token);
    expect(phone.counts).toEqual({ login: 2, checkSession: 1 });
  });

  it.each([
    ['is offline', 'checkSession:fail interrupted'],
    ['hears nothing within WeChat’s own deadline', 'checkSession:fail timeout'],
    ['hears of a fault of WeChat’s', 'checkSession:fail system error'],
    ['is told no reason', 'checkSession:fail'],
  ])('a stored session is used where the phone %s: the key has not expired', async (_, errMsg) => {
    const state = await phone.launch().session.ensure();
    phone.checkSessionFails = errMsg;
    phone.loginFails = 'login:fail';
    expect(await phone.launch().session.ensure()).toEqual(state);
  });

  it('a stored session is used where wx.checkSession gives no answer, throws or is missing', async () => {
    const state = await phone.launch().session.ensure();
    phone.checkSessionHangs = true;
    expect(await phone.launch({ timeoutMs: 30 }).session.ensure()).toEqual(state);
    for (const checkSession of [fail, undefined]) {
      phone.platform = (wx) => ({ ...wx, checkSession });
      expect(await phone.launch().session.ensure()).toEqual(state);
    }
    expect(phone.counts.login).toBe(1);
  });

  it.each([
    'checkSession:fail session time out, need relogin',
    'checkSession:fail 系统错误，错误码：-13001,session time out, need relogin',
    'checkSession:fail session expired',
    'checkSession:fail 登录态过期',
  ])('a session is renewed where WeChat says that its key has expired: %s', async (errMsg) => {
    const { token } = await phone.launch().session.ensure();
    phone.checkSessionFails = errMsg;
    expect((await phone.launch().session.ensure()).token).not.toBe(token);
  });

  it('a launch every day for two weeks is one login: the server extends a token that is used', async () => {
    for (let days = 0; days < 14; days += 1) {
      const { api, session } = phone.launch();
      await session.ensure();
      await api.user.me.query();
      backend.clock.now += day;
    }
    expect(phone.counts.login).toBe(1);
    expect(phone.callsOf('user.me')).toBe(14);
  });

  it('a token that has expired meanwhile costs one refusal and one login', async () => {
    const { token } = await phone.launch().session.ensure();
    backend.clock.now += 8 * day;
    const { api, session } = phone.launch();
    await session.ensure();
    expect(await api.user.me.query()).toMatchObject({ hasProfile: false });
    expect(session.peek()?.token).not.toBe(token);
    expect(phone.sent.slice(1).map(({ paths }) => paths)).toEqual([['user.me'], ['auth.checkUser'], ['user.me']]);
  });

  it.each(['', '{', 'null', '7', '[]', '{"token":1}', '{"token":"t","expiresAt":9e15}', { token: 't' }])(
    'a storage that holds %j counts as empty',
    async (junk) => {
      await phone.launch().session.ensure();
      for (const key of phone.storage.keys()) phone.storage.set(key, junk);
      const { session } = phone.launch();
      expect(session.peek()).toBeUndefined();
      expect((await session.ensure()).token).toHaveLength(43);
    },
  );

  it('a session of another backend or another mini program is not used', async () => {
    await phone.launch().session.ensure();
    expect(phone.launch({ appId: 'wx0000000000000000' }).session.peek()).toBeUndefined();
    expect(phone.launch({ baseUrl: 'http://127.0.0.1:1' }).session.peek()).toBeUndefined();
    expect(phone.launch({ baseUrl: `${backend.url}/` }).session.peek()).toBeDefined();
  });
});

describe('a token revoked meanwhile', () => {
  it('a revoked token costs one new login, and only the refused call is sent again', async () => {
    const { api, session } = phone.launch();
    const { token } = await session.ensure();
    await revoke(token);
    const calls = [api.user.me.query(), api.user.me.query(), api.user.me.query()];
    expect(await Promise.all(calls)).toHaveLength(3);
    expect(phone.counts.login).toBe(2);
    expect(exchanges()).toBe(2);
    const three = ['user.me', 'user.me', 'user.me'];
    expect(phone.sent.map(({ paths }) => paths)).toEqual([['auth.checkUser'], three, ['auth.checkUser'], three]);
    expect(session.peek()?.token).not.toBe(token);
  });

  it('a refused call of a batch is sent again alone, without the calls that succeeded', async () => {
    const { api, session } = phone.launch();
    await revoke((await session.ensure()).token);
    const failed = api.auth.checkUser.mutate({ code: 'no-such-code' }).catch(() => 'refused');
    expect(await Promise.all([failed, api.user.me.query()])).toMatchObject(['refused', { hasProfile: false }]);
    expect(phone.callsOf('user.me')).toBe(2);
    expect(phone.sent.filter(({ body }) => JSON.stringify(body).includes('no-such-code'))).toHaveLength(1);
  });

  it('a late refusal of an old token does not drop a fresh session', async () => {
    const { api, session } = phone.launch();
    const { token } = await session.ensure();
    await revoke(token);
    const { open, opened } = gate();
    // The first batch's refusal is under way while the second one's has already led to a new login.
    let held = 0;
    phone.beforeDelivery = ({ paths }) => (paths.includes('user.me') && (held += 1) === 1 ? opened : undefined);
    const late = api.user.me.query();
    await until(() => phone.callsOf('user.me') === 1);
    await api.user.me.query();
    const fresh = session.peek();
    expect(fresh?.token).not.toBe(token);
    open();
    await late;
    expect(session.peek()).toEqual(fresh);
    expect(phone.counts.login).toBe(2);
    expect(phone.sent.at(-1)?.header.authorization).toBe(`Bearer ${fresh?.token ?? ''}`);
  });

  it('a token forgotten before a call has left costs that call a refusal and one login, no more', async () => {
    const { api, session } = phone.launch();
    const { token } = await session.ensure();
    const calls = [api.user.me.query(), api.user.me.query()];
    session.invalidate(token);
    expect(await Promise.all(calls)).toHaveLength(2);
    expect(phone.sent.map(({ header }) => header.authorization !== undefined)).toEqual([false, false, false, true]);
    expect(phone.counts.login).toBe(2);
  });

  it('a page is told of the refusal when the new session is refused too, after one repetition', async () => {
    const { api, session, failureOf } = phone.launch();
    await session.ensure();
    phone.beforeDelivery = ({ paths }) => (paths.includes('auth.checkUser') ? revokeAll() : undefined);
    await revokeAll();
    const failure = failureOf(await api.user.me.query().catch((error: unknown) => error));
    expect(failure).toMatchObject({
      kind: 'refused',
      reason: 'SESSION_INVALID',
      retry: 'login',
      requestId: expect.any(String) as string,
    });
    expect(phone.callsOf('user.me')).toBe(2);
    expect(session.peek()).toBeUndefined();
  });
});

describe('a login with a profile', () => {
  it('a login with a profile updates the session, in memory and in storage', async () => {
    const { session } = phone.launch();
    await session.ensure();
    const state = await session.login(phone.profile());
    expect(state).toMatchObject({ hasProfile: true, user: { hasProfile: true } });
    expect(session.peek()).toEqual(state);
    expect(phone.launch().session.peek()).toEqual(state);
  });

  it('a login with a profile is shared by two taps: one code, one call', async () => {
    const { session } = phone.launch();
    await session.ensure();
    const [first, second] = await Promise.all([session.login(phone.profile()), session.login(phone.profile())]);
    expect(first).toEqual(second);
    expect(phone.callsOf('auth.login')).toBe(1);
    expect(phone.counts.login).toBe(2);
  });

  it('a login with a profile waits for a login under way, and calls that need a session wait for it', async () => {
    const { api, session } = phone.launch();
    const codesTaken: number[] = [];
    phone.beforeDelivery = () => void codesTaken.push(phone.counts.login);
    await Promise.all([session.ensure(), session.login(phone.profile()), api.user.me.query()]);
    expect(codesTaken.slice(0, 2)).toEqual([1, 2]);
    expect(phone.callsOf('auth.checkUser')).toBe(1);
    expect(phone.callsOf('auth.login')).toBe(1);
    session.invalidate(session.peek()?.token ?? '');
    const [state, me] = await Promise.all([session.login(phone.profile()), api.user.me.query()]);
    expect(me).toEqual(state.user);
    expect(phone.callsOf('auth.checkUser')).toBe(1);
  });

  it('a login with a profile is never repeated by itself, and calls that waited for it log in without it', async () => {
    const { api, session, failureOf } = phone.launch();
    const rejected = session
      .login({ ...phone.profile(), signature: '0'.repeat(40) })
      .catch((error: unknown) => failureOf(error));
    const me = api.user.me.query();
    expect(await rejected).toMatchObject({ kind: 'refused', reason: 'PROFILE_REJECTED', retry: 'login' });
    expect(await me).toMatchObject({ hasProfile: false });
    expect(phone.callsOf('auth.login')).toBe(1);
  });

  it('a rejected profile leads to a new session, so that the next profile can be opened whatever WeChat does with its keys', async () => {
    const { session, failureOf } = phone.launch();
    const rotate = () => backend.standin.phone.rotate({ user: `user-${users}` });
    await session.ensure();
    rotate();
    const profile = phone.profile();
    rotate();
    const failure = failureOf(await session.login(profile).catch((error: unknown) => error));
    expect(failure).toMatchObject({ reason: 'PROFILE_REJECTED' });
    expect(phone.sent.map(({ paths }) => paths[0])).toEqual(['auth.checkUser', 'auth.login', 'auth.checkUser']);
    const next = phone.profile();
    rotate();
    expect(await session.login(next)).toMatchObject({ hasProfile: true });
  });

  it('a rejected profile stays rejected when no new session can be had', async () => {
    const { session, failureOf } = phone.launch();
    const { token } = await session.ensure();
    phone.beforeDelivery = ({ paths }) => {
      if (paths.includes('auth.login')) phone.loginFails = 'login:fail';
    };
    const rejected = session.login({ ...phone.profile(), signature: '0'.repeat(40) });
    expect(failureOf(await rejected.catch((error: unknown) => error))).toMatchObject({ reason: 'PROFILE_REJECTED' });
    expect(session.peek()?.token).toBe(token);
  });

  it('a profile that the page sends by auth.login itself updates the session too', async () => {
    const { api, session } = phone.launch();
    const { rawData, signature, encryptedData, iv } = phone.profile();
    const { code: own } = backend.standin.phone.login({ user: `user-${users}` });
    const { token } = await api.auth.login.mutate({ code: own, rawData, signature, encryptedData, iv });
    expect(session.peek()).toMatchObject({ token, hasProfile: true });
  });

  it('a login with a profile spends no code twice', async () => {
    const { api, session } = phone.launch();
    await session.ensure();
    await session.login(phone.profile());
    await revokeAll();
    await Promise.all([api.user.me.query(), session.ensure()]);
    const codes = phone.sent.map(({ body }) => JSON.stringify(body).match(/"code":"([^"]+)"/)?.[1]).filter(Boolean);
    expect(codes.length).toBe(3);
    expect(new Set(codes).size).toBe(codes.length);
  });
});

describe('logging out', () => {
  it.each(['logout', 'logoutAll'] as const)('%s revokes the token and forgets the session', async (procedure) => {
    const { api, session } = phone.launch();
    const { token } = await session.ensure();
    await api.auth[procedure].mutate();
    expect(session.peek()).toBeUndefined();
    expect(phone.launch().session.peek()).toBeUndefined();
    await expect(backend.client(token).user.me.query()).rejects.toThrow();
    expect(phone.counts.login).toBe(1);
  });

  it('a logout revokes the token in hand, even where WeChat no longer honours its session key', async () => {
    const { token } = await phone.launch().session.ensure();
    backend.standin.phone.rotate({ user: `user-${users}` });
    await phone.launch().api.auth.logout.mutate();
    await expect(backend.client(token).user.me.query()).rejects.toThrow();
    expect(phone.counts.login).toBe(1);
  });

  it('a logout with a token already refused forgets the session and does not log in for it', async () => {
    const { api, session, failureOf } = phone.launch();
    await revoke((await session.ensure()).token);
    const failure = failureOf(await api.auth.logout.mutate().catch((error: unknown) => error));
    expect(failure).toMatchObject({ kind: 'refused', reason: 'SESSION_INVALID' });
    expect(session.peek()).toBeUndefined();
    expect(phone.counts.login).toBe(1);
  });
});

describe('an account', () => {
  it('that was deleted with a fresh code leaves no session, and the next call makes a new user', async () => {
    const { api, session } = phone.launch();
    const { token } = await session.ensure();
    await session.login(phone.profile());
    await api.user.deleteAccount.mutate({ code: await session.takeCode() });
    expect(session.peek()).toBeUndefined();
    await expect(backend.client(token).user.me.query()).rejects.toThrow();
    expect(await api.user.me.query()).toMatchObject({ nickName: null });
  });

  it('is kept, and so is the session, where the code has been spent', async () => {
    const { api, session, failureOf } = phone.launch();
    await session.ensure();
    const code = await session.takeCode();
    await api.user.exportData.mutate({ code });
    const failure = failureOf(await api.user.deleteAccount.mutate({ code }).catch((error: unknown) => error));
    expect(failure).toMatchObject({ kind: 'refused', reason: 'CODE_INVALID' });
    expect((await api.user.me.query()).hasProfile).toBe(false);
    expect(session.peek()).toBeDefined();
  });
});

describe('the page', () => {
  it('a page may put a newer user into the session', async () => {
    const { session } = phone.launch();
    const { user } = await session.ensure();
    session.update({ ...user, nickName: '小明', hasProfile: true });
    expect(session.peek()).toMatchObject({ user: { nickName: '小明' }, hasProfile: true });
    expect(phone.launch().session.peek()).toEqual(session.peek());
  });

  it('a page is told of each newer user, from any call, until it no longer listens', async () => {
    const { session } = phone.launch();
    const told: (string | null)[] = [];
    const stop = session.onUpdate(({ nickName }) => told.push(nickName));
    const { user } = await session.ensure();
    const { user: known } = await session.login(phone.profile());
    session.update({ ...user, nickName: '小明' });
    stop();
    session.update({ ...user, nickName: '小红' });
    expect(told).toEqual([null, known.nickName, '小明']);
  });

  it('a page may drop a session, but not one that is newer than it knows', async () => {
    const { session } = phone.launch();
    const { token } = await session.ensure();
    session.invalidate('another');
    expect(session.peek()?.token).toBe(token);
    session.invalidate(token);
    expect(session.peek()).toBeUndefined();
  });
});

function fail(): never {
  throw new Error('not supported here');
}

async function revokeAll(): Promise<void> {
  const { openid } = backend.standin.person(`user-${users}`);
  await backend.store.deleteSessionsOf(openid, 0);
}

async function until(happened: () => boolean): Promise<void> {
  while (!happened()) await new Promise((resolve) => setTimeout(resolve, 1));
}
