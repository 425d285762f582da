import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Backend, startBackend } from '../../../test/support/backend.ts';
import { clientCode } from './code.ts';
import { createPhone } from './phone.ts';

let code: string;
let backend: Backend;
let phone: ReturnType<typeof createPhone>;
let users = 0;

beforeAll(async () => {
  [code, backend] = await Promise.all([clientCode(), startBackend()]);
});
afterAll(() => backend.close());
beforeEach(() => {
  phone = createPhone({ backend, code, user: `user-${(users += 1)}` });
});
afterEach(() => phone.close());

/** Two copies of the client in one mini program: one in the main package, one in an 独立分包. */
const launchTwo = () => [phone.launch(), phone.launch()] as const;

describe('two clients on one storage', () => {
  it('two clients share one login', async () => {
    const [main, part] = launchTwo();
    const states = await Promise.all([main.session.ensure(), part.session.ensure(), part.api.user.me.query()]);
    expect(states[0]).toEqual(states[1]);
    expect(phone.counts.login).toBe(1);
    expect(phone.callsOf('auth.checkUser')).toBe(1);
  });

  it('two clients share one renewal of a session that was revoked', async () => {
    const [main, part] = launchTwo();
    const { token } = await main.session.ensure();
    await part.session.ensure();
    await backend.client(token).auth.logout.mutate();
    await Promise.all([main.api.user.me.query(), part.api.user.me.query()]);
    expect(phone.counts.login).toBe(2);
    expect(main.session.peek()).toEqual(part.session.peek());
  });

  it('two clients share one renewal of a session key that has expired', async () => {
    await phone.launch().session.ensure();
    backend.standin.phone.rotate({ user: `user-${users}` });
    const [main, part] = launchTwo();
    const [one, other] = await Promise.all([main.session.ensure(), part.session.ensure()]);
    expect(one).toEqual(other);
    expect(phone.counts.login).toBe(2);
  });

  it('two clients take no code beside each other while one logs in with a profile', async () => {
    const [main, part] = launchTwo();
    const codesTaken: number[] = [];
    phone.beforeDelivery = () => void codesTaken.push(phone.counts.login);
    await Promise.all([part.api.user.me.query(), main.session.login(phone.profile())]);
    await Promise.all([main.session.login(phone.profile()), part.session.login(phone.profile())]);
    const logins = phone.sent.filter(({ paths }) => paths[0] !== 'user.me');
    expect(logins.map(({ paths }) => paths[0])).toEqual(['auth.checkUser', ...Array<string>(3).fill('auth.login')]);
    expect(new Set(codesTaken)).toEqual(new Set([1, 2, 3, 4]));
  });

  it('two clients see each other’s logout, and each other’s newer user', async () => {
    const [main, part] = launchTwo();
    const { user } = await main.session.ensure();
    part.session.update({ ...user, nickName: '小红' });
    expect(main.session.peek()?.user.nickName).toBe('小红');
    await part.api.auth.logout.mutate();
    expect(main.session.peek()).toBeUndefined();
    await main.api.user.me.query();
    expect(phone.counts.login).toBe(2);
    expect(part.session.peek()).toEqual(main.session.peek());
  });

  it('two clients log in each for itself where the first one’s login fails', async () => {
    const [main, part] = launchTwo();
    phone.loginFails = 'login:fail';
    const first = main.session.ensure().catch(() => {
      phone.loginFails = undefined;
    });
    const state = await part.session.ensure();
    await first;
    expect(state.token).toHaveLength(43);
    expect(phone.counts.login).toBe(2);
  });
});

it('a program that was ended in the middle of its login does not keep the next launch from logging in', async () => {
  phone.loginHangs = true;
  phone
    .launch()
    .session.ensure()
    .catch(() => undefined);
  const marks = new Map(phone.storage);
  expect(marks.size).toBe(1);
  const next = createPhone({ backend, code, user: `user-${users}`, storage: marks });
  expect((await next.launch().session.ensure()).token).toHaveLength(43);
  next.close();
});

it.each(['-1', '99999999999999999', 'x', {}])('a mark of %j, which no login wrote, delays no login', async (junk) => {
  phone.loginHangs = true;
  phone
    .launch()
    .session.ensure()
    .catch(() => undefined);
  const storage = new Map([...phone.storage.keys()].map((key): [string, unknown] => [key, junk]));
  const next = createPhone({ backend, code, user: `user-${users}`, storage });
  expect((await next.launch().session.ensure()).token).toHaveLength(43);
  next.close();
});

describe('a storage that fails', () => {
  const full = () => {
    throw new Error('setStorageSync:fail exceed storage max size');
  };

  it('a storage that cannot be written costs a login at the next launch and nothing else', async () => {
    phone.platform = (wx) => ({ ...wx, setStorageSync: full });
    const { api, session } = phone.launch();
    const state = await session.ensure();
    expect(session.peek()).toEqual(state);
    await api.user.me.query();
    expect(phone.counts.login).toBe(1);
    await phone.launch().session.ensure();
    expect(phone.counts.login).toBe(2);
  });

  it('a storage that cannot be written after a session was kept there does not restore the old session', async () => {
    let fails = false;
    phone.platform = (wx) => ({
      ...wx,
      setStorageSync: (key: string, value: string) => (fails ? full() : wx.setStorageSync(key, value)),
      removeStorageSync: (key: string) => (fails ? full() : wx.removeStorageSync(key)),
    });
    const { api, session } = phone.launch();
    const { token } = await session.ensure();
    fails = true;
    await api.auth.logout.mutate();
    expect(session.peek()).toBeUndefined();
    await api.user.me.query();
    expect(session.peek()?.token).not.toBe(token);
  });

  it('a storage that cannot be read leaves the session in memory', async () => {
    phone.platform = (wx) => ({ ...wx, getStorageSync: full });
    const { api, session } = phone.launch();
    const state = await session.ensure();
    expect(session.peek()).toEqual(state);
    await api.user.me.query();
    expect(phone.counts.login).toBe(1);
  });
});
