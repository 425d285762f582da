import { describe, expect, onTestFinished, test } from 'vitest';
import { devApp } from '../packages/standin/src/server.ts';
import { type Backend, failureOf, loginInputOf, startBackend } from './support/backend.ts';
import { databases } from './support/databases.ts';

const minuteMs = 60_000;
const yearMs = 365 * 24 * 60 * minuteMs;
const codeOf = ({ standin }: Backend, user: string, rotate = false) => standin.phone.login({ user, rotate }).code;

describe.each(databases)('a clock that was years ahead and is right again, on $name', ({ createUrl }) => {
  async function startAhead() {
    const backend = await startBackend({ databaseUrl: await createUrl() });
    onTestFinished(() => backend.close());
    const right = backend.clock.now;
    backend.clock.now += 3 * yearMs;
    return { backend, right };
  }

  test('a token made then does not live for years', async () => {
    const { backend, right } = await startAhead();
    const { token } = await backend.client().auth.checkUser.mutate({ code: codeOf(backend, 'a') });
    backend.clock.now = right;
    const me = () => failureOf(backend.client(token).user.me.query());
    expect(await me()).toMatchObject({ reason: 'SESSION_INVALID' });
    // Clocks that differ by less than five minutes are right.
    backend.clock.now = right + 3 * yearMs - 4 * minuteMs;
    expect(await me()).toBeNull();
  });

  test('a use of a token recorded then does not count for years', async () => {
    const backend = await startBackend({ databaseUrl: await createUrl() });
    onTestFinished(() => backend.close());
    const right = backend.clock.now;
    const { token } = await backend.client().auth.checkUser.mutate({ code: codeOf(backend, 'f') });
    const used = async (at: number) => {
      backend.clock.now = at;
      await backend.client(token).user.me.query();
      const [session] = await backend.store.listSessions(backend.standin.person('f').openid, at, 1);
      return session?.lastUsedAt;
    };
    const ahead = right + 6 * 24 * 60 * minuteMs;
    expect(await used(ahead)).toBe(ahead);
    expect(await used(right)).toBe(right);
  });

  test('a session key stored then is replaced: a profile sealed with the key before a rotation is accepted', async () => {
    const { backend, right } = await startAhead();
    await backend.client().auth.checkUser.mutate({ code: codeOf(backend, 'b') });
    backend.clock.now = right;
    await backend.client().auth.checkUser.mutate({ code: codeOf(backend, 'b', true) });
    const { standin } = backend;
    const { rawData, signature, encryptedData, iv } = standin.phone.profile({
      user: 'b',
      profile: { nickName: '小明' },
    });
    const login = { code: codeOf(backend, 'b', true), rawData, signature, encryptedData, iv };
    expect((await backend.client().auth.login.mutate(login)).user.nickName).toBe('小明');
  });

  test('a lease of an access token taken then does not last for years', async () => {
    const { backend, right } = await startAhead();
    const lease = async (owner: string, now: number) => {
      const row = await backend.store.leaseAccessToken({ appId: 'wx1', owner, now, until: now + 4000 });
      return row.leaseOwner;
    };
    expect(await lease('ahead and gone', right + 3 * yearMs)).toBe('ahead and gone');
    expect(await lease('right', right)).toBe('right');
    expect(await lease('a little behind', right - minuteMs)).toBe('right');
  });

  test('a lease or a forced renewal of an access token recorded then is not waited for', async () => {
    const { backend, right } = await startAhead();
    const { appId } = devApp;
    const { now } = backend.clock;
    await backend.store.leaseAccessToken({ appId, owner: 'ahead', now, until: now + 4000 });
    await backend.store.updateAccessToken(appId, 'ahead', { forcedAt: now, forcedOnDay: 1 });
    backend.clock.now = right;
    const { token } = await backend.client().auth.checkUser.mutate({ code: codeOf(backend, 'g') });
    const bind = async (errcode?: number) => {
      const { code } = backend.standin.phone.phoneNumber({ user: 'g' });
      if (errcode !== undefined) backend.standin.phone.fault({ code, fault: { kind: 'errcode', errcode } });
      return await failureOf(backend.client(token).user.bindPhone.mutate({ code }));
    };
    expect(await bind()).toBeNull();
    expect(await bind(40001)).toBeNull();
    expect(await backend.store.findAccessToken(appId)).toMatchObject({ forcedAt: right, forcedOnDay: 1 });
  });

  test('a login afterwards still writes the times of its user', async () => {
    const { backend, right } = await startAhead();
    const openId = backend.standin.person('d').openid;
    await backend.client().auth.login.mutate(loginInputOf(backend, 'd'));
    backend.clock.now = right;
    await backend.client().auth.login.mutate(loginInputOf(backend, 'd'));
    expect((await backend.store.findUser(openId))?.updatedAt).toBe(right);
  });
});

describe.each(databases.filter(({ name }) => name !== 'SQLite'))(
  'a host whose clock is ahead, on $name',
  (database) => {
    test('a session that is good by the database’s clock is not swept', async () => {
      const databaseUrl = await database.createUrl();
      const backend = await startBackend({ databaseUrl });
      onTestFinished(() => backend.close());
      backend.clock.now = Date.now();
      const { token } = await backend.client().auth.checkUser.mutate({ code: codeOf(backend, 'e') });
      expect(await backend.store.deleteExpiredSessions(Date.now() + 3 * yearMs, 1000)).toBe(0);
      expect(await failureOf(backend.client(token).user.me.query())).toBeNull();
    });
  },
);
