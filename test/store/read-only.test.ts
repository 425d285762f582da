import { createConnection } from 'mysql2/promise';
import { expect, onTestFinished, test } from 'vitest';
import { failureOf, startBackend } from '../support/backend.ts';
import { findMariaDb, startMariaDb } from '../support/mariadb.ts';

const hourMs = 60 * 60 * 1000;
const program = findMariaDb();

test.skipIf(!program)(
  'a database that is read-only for a while serves tokens that were last used long ago',
  async () => {
    const server = await startMariaDb(program ?? '', { hasAccounts: true });
    onTestFinished(() => server.remove());
    const administrator = await createConnection(`${server.url}/`);
    onTestFinished(() => administrator.end());
    await administrator.query('create database guoke');
    // Administrators may write to a read-only server.
    await administrator.query(`create user guoke@'%' identified by 'hush'`);
    await administrator.query('grant all on guoke.* to guoke');
    const databaseUrl = `mysql://guoke:hush@127.0.0.1:${new URL(server.url).port}/guoke`;
    const backend = await startBackend({ databaseUrl });
    onTestFinished(() => backend.close());
    const login = (user: string) =>
      backend.client().auth.checkUser.mutate({ code: backend.standin.phone.login({ user }).code });
    const { token, user } = await login('ming');

    await administrator.query('set global read_only = 1');
    backend.clock.now += 2 * hourMs;
    expect(await backend.client(token).user.me.query()).toEqual(user);
    expect(await failureOf(login('ming'))).toMatchObject({ reason: 'DATABASE_UNAVAILABLE', httpStatus: 503 });
    expect(await failureOf(backend.client(token).auth.logout.mutate())).toMatchObject({
      reason: 'DATABASE_UNAVAILABLE',
    });

    await administrator.query('set global read_only = 0');
    expect(await backend.client(token).user.me.query()).toEqual(user);
    const [rows] = (await administrator.query('select last_used_at from guoke.gk_wx_session')) as unknown as [object[]];
    expect(rows).toEqual([{ last_used_at: backend.clock.now }]);
  },
);
