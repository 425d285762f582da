import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '@libsql/client';
import { describe, expect, onTestFinished, test } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { createLog } from '../../src/operations/log.ts';
import { type Server, startServer } from '../../src/server.ts';
import { devApp, startStandin } from '../../packages/standin/src/server.ts';
import { openStore } from '../../src/store/open.ts';
import { databases, hasMysql, mysql } from '../support/databases.ts';
import { holdMigrationLease } from '../support/migration-lease.ts';
import { startMuteProxy } from '../support/mute-proxy.ts';

/** Keeps the tables from being made until it is called. */
async function holdMigration(databaseUrl: string): Promise<() => Promise<void>> {
  if (databaseUrl.startsWith('mysql:')) return await holdMigrationLease(databaseUrl);
  const store = await openStore({ databaseUrl, timeoutMs: 1000, poolSize: 1 });
  await store.ping();
  await store.close();
  const rival = createClient({ url: databaseUrl });
  const lock = await rival.transaction('write');
  return async () => {
    await lock.rollback();
    rival.close();
  };
}

describe.each(databases)('before the tables are there, on $name', ({ createUrl }) => {
  test('every call is refused at once, and WeChat is not asked: the same code is good once the tables are there', async () => {
    const standin = await startStandin();
    onTestFinished(() => standin.close());
    const databaseUrl = await createUrl();
    const release = await holdMigration(databaseUrl);
    const config = loadConfig({
      WX_APPID: devApp.appId,
      WX_SECRET: devApp.secret,
      WX_API_BASE_URL: standin.url,
      DATABASE_URL: databaseUrl,
      SESSION_KEY_SECRETS: `test:${Buffer.alloc(32, 5).toString('base64')}`,
      PORT: '0',
    });
    let starting: Promise<Server> | undefined;
    const { url } = await new Promise<Server>((onListening) => {
      starting = startServer(config, { log: createLog('silent'), onListening });
    });
    const exchanges = () => standin.phone.stats().paths['/sns/jscode2session']?.requests ?? 0;
    const send = (path: string, body: unknown) =>
      fetch(`${url}/trpc/${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    const { code } = standin.phone.login({ user: 'early' });
    const begun = performance.now();
    const answers = await Promise.all([
      send('auth.checkUser', { code }),
      send('auth.checkUser?batch=1', { 0: { code } }),
      send('auth.checkUser,auth.checkUser?batch=1', { 0: { code }, 1: { code } }),
      send('user.updateProfile', { avatar: 'A'.repeat(100_000) }),
      fetch(`${url}/trpc/user.me`, { headers: { authorization: `Bearer ${'A'.repeat(43)}` } }),
    ]);
    expect(performance.now() - begun).toBeLessThan(5000);
    for (const answer of answers) {
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1']);
      expect(answer.headers.get('content-type')).toBe('application/json');
      expect(answer.headers.get('x-request-id')).not.toBeNull();
      const data = { code: 'SERVICE_UNAVAILABLE', httpStatus: 503, path: null };
      expect(await answer.json()).toMatchObject({
        error: { data: { ...data, reason: 'DATABASE_UNAVAILABLE', retry: 'later' } },
      });
    }
    expect(exchanges()).toBe(0);
    expect([(await fetch(`${url}/healthz`)).status, (await fetch(`${url}/readyz`)).status]).toEqual([200, 503]);

    await release();
    const server = (await starting) ?? expect.unreachable();
    onTestFinished(() => server.close());
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    expect((await send('auth.checkUser', { code })).status).toBe(200);
    expect(exchanges()).toBe(1);
  });

  test('a server with MIGRATE_ON_START off is not ready until the tables are made', async () => {
    const databaseUrl = await createUrl();
    const logged: string[] = [];
    const server = await startServer(
      loadConfig({
        WX_APPID: 'wx1',
        WX_SECRET: 'secret',
        DATABASE_URL: databaseUrl,
        SESSION_KEY_SECRETS: `test:${Buffer.alloc(32, 5).toString('base64')}`,
        MIGRATE_ON_START: 'false',
        PORT: '0',
      }),
      { log: createLog('info', { write: (line) => logged.push(line) }) },
    );
    onTestFinished(() => server.close());
    const ready = async () => (await fetch(`${server.url}/readyz`)).status;
    expect(await ready()).toBe(503);
    await sleep(2500);
    expect(await ready()).toBe(503);
    // Each second it looks, and says so once.
    expect(logged.filter((line) => line.includes('TABLES_MISSING'))).toHaveLength(1);
    const store = await openStore({ databaseUrl, timeoutMs: 2000, poolSize: 1 });
    await store.migrate();
    await store.close();
    await expect.poll(ready).toBe(200);
  });

  test('a server that is told to stop does so at once, and its start ends with it', async () => {
    const databaseUrl = await createUrl();
    const release = await holdMigration(databaseUrl);
    const config = loadConfig({
      WX_APPID: 'wx1',
      WX_SECRET: 'secret',
      DATABASE_URL: databaseUrl,
      SESSION_KEY_SECRETS: `test:${Buffer.alloc(32, 5).toString('base64')}`,
      PORT: '0',
    });
    const begun = performance.now();
    const server = await startServer(config, {
      log: createLog('silent'),
      onListening: (listening) => void setTimeout(() => void listening.close(), 50),
    });
    await server.close();
    expect(performance.now() - begun).toBeLessThan(15_000);
    await expect(fetch(`${server.url}/healthz`)).rejects.toThrow();
    await release();
  });
});

test.skipIf(!hasMysql)(
  'a server whose network falls silent after the handshake serves again soon, without a restart',
  async () => {
    const proxy = await startMuteProxy(await mysql.createUrl(), 1);
    onTestFinished(proxy.close);
    const config = loadConfig({
      WX_APPID: 'wx1',
      WX_SECRET: 'secret',
      DATABASE_URL: proxy.url,
      SESSION_KEY_SECRETS: `test:${Buffer.alloc(32, 5).toString('base64')}`,
      PORT: '0',
    });
    const begun = performance.now();
    const server = await startServer(config, { log: createLog('silent') });
    onTestFinished(() => server.close());
    await expect.poll(async () => (await fetch(`${server.url}/readyz`)).status, { timeout: 40_000 }).toBe(200);
    expect(performance.now() - begun).toBeLessThan(40_000);
  },
);
