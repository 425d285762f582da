import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { resealAll } from '../../src/operations/reseal.ts';
import { loadConfig } from '../../src/config.ts';
import { type Keyring, seal } from '../../src/crypto.ts';
import { createLog } from '../../src/operations/log.ts';
import { startServer, type Server } from '../../src/server.ts';
import { devApp, startStandin, type Standin } from '../../packages/standin/src/server.ts';
import type { Store } from '../../src/store/store.ts';
import { createPhoneNumbers, phoneNumberContext } from '../../src/user/phone.ts';
import { clientOf, failureOf } from '../support/backend.ts';
import { databases } from '../support/databases.ts';
import { loginWrite } from '../support/login-write.ts';
import { runCommand } from '../support/process.ts';

const secrets = { old: Buffer.alloc(32, 1), new: Buffer.alloc(32, 2) };
const keyringOf = (...ids: ['old' | 'new', ...('old' | 'new')[]]) =>
  ids.map((id) => ({ id, key: secrets[id] })) as unknown as Keyring;
const textOf = (keyring: Keyring) => keyring.map(({ id, key }) => `${id}:${key.toString('base64')}`).join(',');
const [onlyOld, oldFirst, newFirst, onlyNew] = [
  keyringOf('old'),
  keyringOf('old', 'new'),
  keyringOf('new', 'old'),
  keyringOf('new'),
];

test('guoke rotate-keys fails in its own words, without the URL', async () => {
  const command = runCommand(
    'src/cli/guoke.ts',
    {
      WX_APPID: devApp.appId,
      WX_SECRET: devApp.secret,
      DATABASE_URL: 'mysql://root:hush@127.0.0.1:1/guoke',
      SESSION_KEY_SECRETS: textOf(onlyNew),
    },
    ['rotate-keys'],
  );
  expect((await command.exit).code).toBe(1);
  expect(command.stderr).toEqual(['It failed: database unavailable: ECONNREFUSED']);
});

/** For calls that chose the instance just before it began to stop. */
const drainMs = 300;

describe.each(databases)('sealing with a new secret on $name', ({ createUrl, query }) => {
  let standin: Standin;
  let databaseUrl: string;
  const running: Server[] = [];
  beforeAll(async () => {
    standin = await startStandin();
    databaseUrl = await createUrl();
  });
  afterAll(async () => {
    await Promise.all(running.map((server) => server.close()));
    await standin.close();
  });

  const environment = (keyring: Keyring) => ({
    WX_APPID: devApp.appId,
    WX_SECRET: devApp.secret,
    WX_API_BASE_URL: standin.url,
    DATABASE_URL: databaseUrl,
    SESSION_KEY_SECRETS: textOf(keyring),
    RATE_LIMIT_PER_MINUTE: '0',
    PORT: '0',
  });
  async function start(keyring: Keyring): Promise<Server> {
    const server = await startServer(loadConfig(environment(keyring)), { log: createLog('silent'), drainMs });
    running.push(server);
    return server;
  }
  const checkUser = (server: Server, user: string, rotate = false) =>
    failureOf(clientOf(server.url).auth.checkUser.mutate({ code: standin.phone.login({ user, rotate }).code }));
  /** The tutorial's order: the profile is sealed with the key of before. */
  const rotatedLogin = (server: Server, user: string) => {
    const { rawData, signature, encryptedData, iv } = standin.phone.profile({ user });
    const { code } = standin.phone.login({ user, rotate: true });
    return failureOf(clientOf(server.url).auth.login.mutate({ code, rawData, signature, encryptedData, iv }));
  };
  const sealedWith = async (id: string) => {
    const columns = ['session_key', 'prev_session_key', 'phone_number'].map((column) => `${column} like 'v1.${id}.%'`);
    const where = [...columns, `session_key_fingerprint like '${id}.%'`].join(' or ');
    return Number((await query(databaseUrl, `select count(*) as n from gk_wx_user where ${where}`))[0]?.n);
  };
  const rowOf = (store: Store, user: string) => store.findUser(standin.person(user).openid);

  test('a rotation reseals every value that opens, leaves what is damaged, and the new secret alone then proves a profile', async () => {
    const server = await start(onlyOld);
    for (let i = 0; i < 12; i++) {
      await checkUser(server, `user${i}`);
      expect(await rotatedLogin(server, `user${i}`)).toBeNull();
    }
    const { openid } = standin.person('user0');
    const phone = seal(onlyOld, '13566666666', phoneNumberContext({ appId: devApp.appId, openId: openid }));
    await query(databaseUrl, `update gk_wx_user set phone_number = '${phone}' where open_id = '${openid}'`);
    const damaged = standin.person('user1').openid;
    await query(databaseUrl, `update gk_wx_user set prev_session_key = 'v1.old.x.y' where open_id = '${damaged}'`);
    const updatedAt = (await rowOf(server.store, 'user2'))?.updatedAt;

    const shown: number[] = [];
    const counts = await resealAll({
      store: server.store,
      keyring: newFirst,
      batchSize: 5,
      onProgress: ({ done }) => shown.push(done),
    });
    expect(counts).toEqual({ done: 12, total: 12, resealed: 12, unreadable: 1, contended: 0 });
    expect(shown).toEqual([5, 10, 12]);
    expect(await sealedWith('old')).toBe(1);
    expect(await rowOf(server.store, 'user1')).toMatchObject({ prevSessionKey: 'v1.old.x.y' });
    expect((await rowOf(server.store, 'user2'))?.updatedAt).toBe(updatedAt);
    const again = await resealAll({ store: server.store, keyring: newFirst });
    expect(again).toEqual({ done: 12, total: 12, resealed: 0, unreadable: 1, contended: 0 });

    const after = await start(onlyNew);
    for (let i = 0; i < 12; i++) expect(await rotatedLogin(after, `user${i}`)).toBeNull();
  });

  test('a rotation goes on where it was broken off', async () => {
    const server = await start(oldFirst);
    for (let i = 0; i < 12; i++) await checkUser(server, `user${i}`, true);
    let batches = 0;
    const breaking = {
      ...server.store,
      reseal: (changes: Parameters<Store['reseal']>[0]) =>
        ++batches > 2 ? Promise.reject(new Error('killed')) : server.store.reseal(changes),
    };
    await expect(resealAll({ store: breaking, keyring: newFirst, batchSize: 4 })).rejects.toThrow('killed');
    expect(await resealAll({ store: server.store, keyring: newFirst, batchSize: 4 })).toMatchObject({ resealed: 4 });
  });

  test('a rotation never overwrites the key of a login that is stored between its reading and its writing', async () => {
    const server = await start(oldFirst);
    await checkUser(server, 'user3', true);
    let interfered = false;
    const racing = {
      ...server.store,
      async reseal(changes: Parameters<Store['reseal']>[0]) {
        if (!interfered) expect(await checkUser(server, 'user3', true)).toBeNull();
        interfered = true;
        return server.store.reseal(changes);
      },
    };
    const counts = await resealAll({ store: racing, keyring: newFirst });
    expect(counts).toMatchObject({ contended: 0 });
    expect(interfered).toBe(true);
    const row = await rowOf(server.store, 'user3');
    expect(row?.sessionKey).toMatch(/^v1\.new\./);
    // The latest key, and before it the one that was being resealed.
    expect(await rotatedLogin(server, 'user3')).toBeNull();
  });

  test('a rotation fills the fingerprint of a phone number that an older version stored without one, and renews an old one', async () => {
    const { store } = await start(onlyOld);
    const [before, after] = [createPhoneNumbers(onlyOld), createPhoneNumbers(newFirst)];
    const found: string[] = [];
    for (const [number, isFilled] of [
      ['13511110001', false],
      ['13511110002', true],
    ] as const) {
      const login = loginWrite();
      const phone = before.seal({ countryCode: '86', number }, login);
      await store.saveLogin(login);
      await store.updateUser(login, { phone }, 1);
      const clear = `update gk_wx_user set phone_fingerprint = null where open_id = '${login.openId}'`;
      if (!isFilled) await query(databaseUrl, clear);
      expect(await store.findUsersByPhone(after.fingerprints(`+86${number}`))).toHaveLength(isFilled ? 1 : 0);
      await resealAll({ store, keyring: newFirst });
      const [user] = await store.findUsersByPhone(after.fingerprints(`+86${number}`));
      found.push(user?.openId === login.openId && user.phoneFingerprint?.startsWith('new.') ? number : '');
    }
    expect(found).toEqual(['13511110001', '13511110002']);
  });

  test('a rotation writes a row only where each of its values is still as it was read', async () => {
    const server = await start(onlyNew);
    await checkUser(server, 'user4', true);
    const { store } = server;
    const row = (await rowOf(store, 'user4')) ?? expect.unreachable();
    const { openId, sessionKey, prevSessionKey, sessionKeyFingerprint, phoneNumber, phoneFingerprint } = row;
    const from = { sessionKey, prevSessionKey, sessionKeyFingerprint, phoneNumber, phoneFingerprint };
    const to = { ...from, phoneNumber: 'v1.new.x.y' };
    for (const name of Object.keys(from)) {
      expect([name, await store.reseal([{ openId, from: { ...from, [name]: 'other' }, to }])]).toEqual([name, 0]);
    }
    expect(await store.reseal([{ openId: 'oOTHER', from, to }])).toBe(0);
    expect(await rowOf(store, 'user4')).toEqual(row);
    expect(await store.reseal([{ openId, from, to }])).toBe(1);
    expect(await rowOf(store, 'user4')).toEqual({ ...row, phoneNumber: 'v1.new.x.y' });
  });

  test('a rotation of two instances under load, phase by phase, fails no login, and leaves no value under the old secret', async () => {
    await query(databaseUrl, 'delete from gk_wx_user');
    let instances = [await start(onlyOld), await start(onlyOld)];
    let turn = 0;
    const balanced = () => instances[turn++ % 2] ?? expect.unreachable();
    const failures: unknown[] = [];
    let logins = 0;
    let stop = false;
    const load = Array.from({ length: 6 }, async (_, worker) => {
      for (let i = 0; !stop; i++) {
        const user = `load${worker}-${i % 5}`;
        failures.push(await checkUser(balanced(), user));
        failures.push(await rotatedLogin(balanced(), user));
        logins += 2;
      }
    });
    /** As a rolling deployment does: a new one comes, then an old one drains. */
    const roll = async (keyring: Keyring) => {
      for (const index of [0, 1]) {
        const leaving = instances[index];
        const coming = await start(keyring);
        instances = instances.map((each, at) => (at === index ? coming : each));
        await leaving?.close();
      }
    };
    await roll(oldFirst);
    await roll(newFirst);
    const command = runCommand('src/cli/guoke.ts', environment(newFirst), ['rotate-keys']);
    expect([(await command.exit).code, command.stdout.at(-1)]).toEqual([
      0,
      expect.stringMatching(/^\d+ users looked at, \d+ resealed, 0 values unreadable\.$/),
    ]);
    expect(command.stderr.at(-1)).toMatch(/users +100 % /);
    await roll(onlyNew);
    stop = true;
    await Promise.all(load);
    expect(failures.filter((failure) => failure !== null)).toEqual([]);
    expect(logins).toBeGreaterThan(30);
    expect(await sealedWith('old')).toBe(0);
    expect(await sealedWith('new')).toBeGreaterThan(10);
    console.log(`${logins} logins while the secrets were rotated, none failed`);
  });
});
