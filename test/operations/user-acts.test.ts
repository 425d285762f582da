import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createRetentionSweep } from '../../src/user/retention.ts';
import { type Backend, failureOf, loginInputOf, startBackend } from '../support/backend.ts';
import { databases, sqlite } from '../support/databases.ts';
import { loginWrite } from '../support/login-write.ts';
import { openStore } from '../../src/store/open.ts';
import { runCommand } from '../support/process.ts';

const dayMs = 24 * 60 * 60 * 1000;

describe.each(databases)('the operator’s commands about a user on $name', ({ createUrl, query }) => {
  let backend: Backend;
  let databaseUrl: string;
  let users = 0;
  beforeAll(async () => {
    databaseUrl = await createUrl();
    backend = await startBackend({ databaseUrl });
    // The command's clock is the machine's.
    backend.clock.now = Date.now();
  });
  afterAll(() => backend.close());

  async function run(...args: string[]) {
    const command = runCommand('src/cli/guoke.ts', backend.environment, ['user', ...args]);
    const { code } = await command.exit;
    return { code, stdout: command.stdout.join('\n'), stderr: command.stderr.join('\n') };
  }
  async function signIn() {
    const user = `person${++users}`;
    const { token } = await backend.client().auth.login.mutate(loginInputOf(backend, user, { nickName: `名${users}` }));
    const phoneNumber = String(13_600_000_000 + users);
    const { code } = backend.standin.phone.phoneNumber({ user, phoneNumber });
    await backend.client(token).user.bindPhone.mutate({ code });
    const openId = backend.standin.person(user).openid;
    await query(databaseUrl, `update gk_wx_user set real_name = '李雷', stu_id = 42 where open_id = '${openId}'`);
    return { user, token, phoneNumber, openId, me: () => failureOf(backend.client(token).user.me.query()) };
  }

  test('guoke user shows and exports by openid and phone number, and masks numbers and names unless they are revealed', async () => {
    const { token, openId, phoneNumber } = await signIn();
    for (const selector of [
      ['--openid', openId],
      ['--phone', phoneNumber],
      ['--phone', `+86${phoneNumber}`],
    ]) {
      const { code, stdout } = await run('show', ...selector);
      expect(code).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject([{ openId, phoneNumber: expect.stringContaining('***'), sessions: 1 }]);
      for (const hidden of [phoneNumber, '李雷', '42,', token, 'v1.test.']) expect(stdout).not.toContain(hidden);
    }
    const exported = await run('export', '--openid', openId, '--reveal');
    expect(JSON.parse(exported.stdout)).toMatchObject([
      { user: { phoneNumber: `+86${phoneNumber}`, realName: '李雷', stuId: 42 }, sessions: [{}] },
    ]);
    for (const secret of [token, 'v1.test.']) expect(exported.stdout).not.toContain(secret);
    expect(await run('show', '--phone', '13999999999')).toMatchObject({ code: 1, stderr: 'There is no such user.' });
  }, 60_000);

  test('guoke user blocks, unblocks, signs out and deletes, each with a reason that stands in the log', async () => {
    const { user, openId, me } = await signIn();
    const act = (name: string, ...args: string[]) => run(name, '--openid', openId, '--reason', 'ticket 12', ...args);
    const blocked = await act('block');
    expect(blocked).toMatchObject({ code: 0, stdout: `${openId}: blocked.` });
    expect(JSON.parse(blocked.stderr)).toMatchObject({ act: 'block', reason: 'ticket 12', msg: 'operator' });
    expect(blocked.stderr).not.toContain(openId);
    expect(await me()).toMatchObject({ reason: 'USER_BLOCKED' });
    const code = () => backend.standin.phone.login({ user }).code;
    expect(await failureOf(backend.client().auth.checkUser.mutate({ code: code() }))).toMatchObject({
      reason: 'USER_BLOCKED',
    });
    expect(await act('unblock')).toMatchObject({ code: 0, stdout: `${openId}: unblocked.` });
    expect(await me()).toBeNull();
    expect(await act('sign-out')).toMatchObject({ code: 0, stdout: `${openId}: signed out of 1 sessions.` });
    expect(await me()).toMatchObject({ reason: 'SESSION_INVALID' });
    // Standard input is not a terminal here.
    expect(await act('delete')).toMatchObject({ code: 1, stderr: expect.stringContaining('--yes') });
    expect(await backend.store.findUser(openId)).not.toBeNull();
    expect(await act('delete', '--yes')).toMatchObject({ code: 0, stdout: `${openId}: deleted.` });
    expect(await backend.store.findUser(openId)).toBeNull();
  }, 60_000);

  test('guoke user deletes what the owner’s hook names first, and nothing when the hook fails', async () => {
    const { openId } = await signIn();
    const file = `${inject('scratch')}/hook-${crypto.randomUUID()}.mjs`;
    const act = () => run('delete', '--openid', openId, '--reason', 'asked', '--yes', '--hook', file);
    await writeFile(file, `export const onUserDeleted = () => { throw new Error('hush'); };`);
    const failed = await act();
    expect(failed.code).toBe(1);
    expect(failed.stderr).not.toContain('hush');
    expect(await backend.store.findUser(openId)).not.toBeNull();
    await writeFile(file, `export const onUserDeleted = ({ openId }) => console.log('hook', openId);`);
    expect(await act()).toMatchObject({ code: 0, stdout: `hook ${openId}\n${openId}: deleted.` });
    expect(await backend.store.findUser(openId)).toBeNull();
  }, 60_000);
});

test.each([
  [['--help'], 0],
  [['delete', '--help'], 0],
  [['show', '--nickname', 'x'], 2],
  [['show', '--openid'], 2],
  [['explode', '--openid', 'o1'], 2],
  [['show', 'more', '--openid', 'o1'], 2],
  [[], 2],
  [['show'], 2],
  [['show', '--openid', 'o1', '--phone', '1'], 2],
  [['block', '--openid', 'o1'], 2],
  [['block', '--openid', 'o1', '--reason', ' '], 2],
] as const)('the command %j ends with %i, before a database is opened', async (args, code) => {
  const command = runCommand('src/cli/guoke.ts', { DATABASE_URL: 'file:/nowhere/guoke.db' }, ['user', ...args]);
  expect(await command.exit).toMatchObject({ code });
  expect(command.stdout.length > 0).toBe(code === 0);
  expect(command.stderr.length > 0).toBe(code !== 0);
});

describe.each(databases)('users who were not seen for RETENTION_DAYS, on $name', ({ createUrl }) => {
  test('an unseen user is deleted in the daily round, and no other user is, even when a hook fails for one of them', async () => {
    const store = await openStore({ databaseUrl: await createUrl(), timeoutMs: 5000, poolSize: 2 });
    await store.migrate();
    const now = 1000 * dayMs;
    const seen = (daysAgo: number) => loginWrite({ at: now - daysAgo * dayMs, expiresAt: now - daysAgo * dayMs + 1 });
    const gone = Array.from({ length: 120 }, () => seen(31));
    const here = Array.from({ length: 60 }, () => seen(29));
    const used = seen(31);
    for (const login of [...gone, ...here, used]) await store.saveLogin(login);
    const { tokenHash, openId } = used;
    const lastUsedAt = now - dayMs;
    await store.extendSession({ tokenHash, openId, unusedSince: lastUsedAt, lastUsedAt, expiresAt: now });
    const stubborn = gone[7]?.openId;
    let failing = true;
    const onUserDeleted = ({ openId: id }: { openId: string }) => {
      if (failing && id === stubborn) throw new Error('not now');
    };
    const sweep = createRetentionSweep({ store, onUserDeleted, retentionDays: 30 });
    const walk = async (at: number) => {
      const failures: unknown[] = [];
      let deleted = 0;
      for (let hasMore = true; hasMore;) {
        const swept = await sweep(at, 500).catch((error: unknown) => void failures.push(error));
        deleted += swept?.deleted ?? 0;
        hasMore = swept?.hasMore ?? true;
      }
      return { deleted, failures: failures.length };
    };
    expect((await walk(now)).failures).toBe(1);
    expect(await store.countUsers()).toBe(here.length + 2);
    failing = false;
    expect(await walk(now + 1000)).toEqual({ deleted: 0, failures: 0 });
    expect(await walk(now + dayMs - 1)).toEqual({ deleted: 0, failures: 0 });
    expect(await walk(now + dayMs)).toEqual({ deleted: 1, failures: 0 });
    for (const login of [...here, used]) expect(await store.findUser(login.openId)).not.toBeNull();
    await store.close();
  });
});

test('a server with RETENTION_DAYS deletes a user who was not seen for so long, and keeps one who was', async () => {
  const deleted: string[] = [];
  const backend = await startBackend({
    env: { RETENTION_DAYS: '30' },
    sweepIntervalMs: 20,
    onUserDeleted: ({ openId }) => void deleted.push(openId),
  });
  const codeOf = (user: string) => ({ code: backend.standin.phone.login({ user }).code });
  const [unseen, seen] = ['unseen', 'seen'].map((user) => backend.standin.person(user).openid);
  await backend.client().auth.checkUser.mutate(codeOf('unseen'));
  backend.clock.now += 20 * dayMs;
  await backend.client().auth.checkUser.mutate(codeOf('seen'));
  backend.clock.now += 11 * dayMs;
  await expect.poll(() => deleted, { timeout: 20_000 }).toEqual([unseen]);
  await expect.poll(() => backend.store.findUser(unseen ?? '')).toBeNull();
  expect(await backend.store.findUser(seen ?? '')).not.toBeNull();
  await backend.close();
});

test('a server without RETENTION_DAYS keeps users for ever', async () => {
  const store = await openStore({ databaseUrl: await sqlite.createUrl(), timeoutMs: 5000, poolSize: 1 });
  await store.migrate();
  await store.saveLogin(loginWrite({ at: 1 }));
  const sweep = createRetentionSweep({ store, onUserDeleted: () => {}, retentionDays: 0 });
  expect(await sweep(10_000 * dayMs, 500)).toEqual({ deleted: 0, hasMore: false });
  expect(await store.countUsers()).toBe(1);
  await store.close();
});
