import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hashToken } from '../../src/crypto.ts';
import { databases, isTidb } from '../support/databases.ts';
import { failureOf, startBackend, type Backend } from '../support/backend.ts';

const hourMs = 60 * 60 * 1000;
const dayMs = 24 * hourMs;
const refused = { reason: 'SESSION_INVALID', retry: 'login', httpStatus: 401 };

describe.each(databases)('sessions on $name', ({ name, createUrl, query }) => {
  let databaseUrl: string;
  let backend: Backend;
  /** A second instance on the same database. */
  let other: Backend;
  beforeAll(async () => {
    databaseUrl = await createUrl();
    backend = await startBackend({ databaseUrl });
    other = await startBackend({ databaseUrl });
  });
  afterAll(async () => {
    await other.close();
    await backend.close();
  });

  const newToken = async (user: string) => {
    const { code } = backend.standin.phone.login({ user });
    return (await backend.client().auth.checkUser.mutate({ code })).token;
  };
  const me = (token: string, at = backend) => failureOf(at.client(token).user.me.query());
  const expiryOf = async (token: string) => (await backend.store.findSession(hashToken(token)))?.session.expiresAt;

  test('a token of one instance is accepted on the other, and a token revoked on one is refused on the other at once', async () => {
    const token = await newToken('two-instances');
    expect(await me(token, other)).toBeNull();
    expect(await other.client(token).auth.logout.mutate()).toEqual({ revoked: true });
    expect(await me(token)).toMatchObject(refused);
    expect(await me(token, other)).toMatchObject(refused);
  });

  test('a session of one device lives beside those of others, and its logout ends it alone', async () => {
    const [phone, tablet] = [await newToken('devices'), await newToken('devices')];
    expect(phone).not.toBe(tablet);
    await backend.client(phone).auth.logout.mutate();
    expect(await me(phone)).toMatchObject(refused);
    expect(await me(tablet)).toBeNull();
  });

  test('logoutAll revokes and counts every session of its user, and none of another user', async () => {
    const tokens = [await newToken('many'), await newToken('many'), await newToken('many')] as const;
    const tokenOfAnother = await newToken('another-user');
    expect(await backend.client(tokens[1]).auth.logoutAll.mutate()).toEqual({ revoked: 3 });
    for (const token of tokens) expect(await me(token)).toMatchObject(refused);
    expect(await me(tokenOfAnother)).toBeNull();
    expect(await failureOf(backend.client(tokens[0]).auth.logoutAll.mutate())).toMatchObject(refused);
  });

  test('logoutAll counts sessions that were good, and none that had expired', async () => {
    for (let i = 0; i < 3; i++) await newToken('long-ago');
    backend.clock.now += 7 * dayMs;
    const token = await newToken('long-ago');
    expect(await backend.client(token).auth.logoutAll.mutate()).toEqual({ revoked: 1 });
    const { openid } = backend.standin.person('long-ago');
    expect(await query(databaseUrl, `select * from gk_wx_session where open_id = '${openid}'`)).toEqual([]);
  });

  test('a session that is not used lives 7 days', async () => {
    const [kept, late] = [await newToken('weekly'), await newToken('weekly')];
    backend.clock.now += 7 * dayMs - 1;
    expect(await me(kept)).toBeNull();
    backend.clock.now += 1;
    expect(await me(late)).toMatchObject(refused);
  });

  test('a session in use is extended, with at most one write an hour', async () => {
    const token = await newToken('extended');
    const created = backend.clock.now;
    backend.clock.now += hourMs - 1;
    await me(token);
    expect(await expiryOf(token)).toBe(created + 7 * dayMs);
    backend.clock.now += 1;
    await me(token);
    expect(await expiryOf(token)).toBe(created + hourMs + 7 * dayMs);
  });

  // A trigger counts the writes.
  test.skipIf(name === 'MySQL' && isTidb)(
    'an extension is written once, however many calls use the session at the same moment on two instances',
    async () => {
      await query(databaseUrl, 'create table writes (at int)');
      await query(
        databaseUrl,
        'create trigger counted after update on gk_wx_session for each row begin insert into writes values (1); end',
      );
      const token = await newToken('crowded');
      backend.clock.now += hourMs;
      other.clock.now = backend.clock.now;
      const clients = [backend.batching(token), other.batching(token)];
      await Promise.all(clients.flatMap((client) => Array.from({ length: 10 }, () => client.user.me.query())));
      expect(await expiryOf(token)).toBe(backend.clock.now + 7 * dayMs);
      expect(await query(databaseUrl, 'select count(*) as n from writes')).toEqual([{ n: 1 }]);
      await query(databaseUrl, 'drop trigger counted');
    },
  );

  test('a session never lives longer than 60 days, however much it is used', async () => {
    const token = await newToken('forever');
    const created = backend.clock.now;
    for (let day = 1; day <= 59; day++) {
      backend.clock.now = created + day * dayMs;
      expect(await me(token)).toBeNull();
    }
    expect(await expiryOf(token)).toBe(created + 60 * dayMs);
    backend.clock.now = created + 60 * dayMs;
    expect(await me(token)).toMatchObject(refused);
  });

  test('a session is looked up only for a well-formed token', async () => {
    const token = await newToken('forms');
    const header = (authorization: string) =>
      fetch(`${backend.url}/trpc/user.me`, { headers: { authorization } }).then(({ status }) => status);
    for (const good of [`Bearer ${token}`, `bearer ${token}`]) expect(await header(good)).toBe(200);
    const last = token.endsWith('A') ? 'E' : 'A';
    const odd = [
      '',
      'Bearer',
      token,
      `Basic ${token}`,
      `Bearer ${token}x`,
      `Bearer ${token.slice(1)}`,
      `Bearer ${token.slice(0, -1)}${last}`,
      `Bearer ${token.slice(0, -1)}B`,
      `Bearer ${token} ${token}`,
      `Bearer ${hashToken(token).toString('base64url')}`,
      `Bearer ${'A'.repeat(10_000)}`,
      "Bearer ' OR 1=1 --",
    ];
    for (const authorization of odd) expect([authorization, await header(authorization)]).toEqual([authorization, 401]);
    const query = await fetch(`${backend.url}/trpc/user.me?token=${token}`);
    expect(query.status).toBe(401);
  });

  test('a session that two calls log out at the same moment is logged out once', async () => {
    const token = await newToken('twice');
    const failures = await Promise.all([1, 2].map(() => failureOf(backend.client(token).auth.logout.mutate())));
    expect(failures).toContain(null);
    expect(await me(token)).toMatchObject(refused);
  });
});
