import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { databases } from './support/databases.ts';
import { loginInputOf, startBackend, type Backend } from './support/backend.ts';

/** Collects what must never be seen, and everything that can be seen. */
describe.each(databases)('a whole run on $name, every failure included', ({ createUrl, dump }) => {
  let backend: Backend;
  let databaseUrl: string;
  const secrets = new Map<string, string>();
  const tokens = new Map<string, string>();
  const answers: string[] = [];
  beforeAll(async () => {
    databaseUrl = await createUrl();
    backend = await startBackend({ databaseUrl, env: { WX_TIMEOUT_MS: '300' } });
    secrets.set('the app secret', backend.environment.WX_SECRET);
    secrets.set('the sealing secret', Buffer.alloc(32, 5).toString('base64'));
  });
  afterAll(() => backend.close());

  const remember = (user: string) => {
    const { sessionKey } = backend.standin.person(user);
    secrets.set(`session key of ${user}`, sessionKey);
    secrets.set(`session key of ${user} as hexadecimal`, Buffer.from(sessionKey, 'base64').toString('hex'));
    secrets.set(`session key of ${user} as base64url`, Buffer.from(sessionKey, 'base64').toString('base64url'));
  };

  async function call(path: string, body: unknown, token = ''): Promise<{ result?: { data: { token?: string } } }> {
    const response = await fetch(`${backend.url}/trpc/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    const text = await response.text();
    const parsed = JSON.parse(text);
    const issued: unknown = parsed.result?.data?.token;
    if (typeof issued === 'string') tokens.set(issued, path);
    // The token that this very answer hands over is its purpose.
    const withoutToken = typeof issued === 'string' ? text.replace(issued, '') : text;
    answers.push(withoutToken, JSON.stringify([...response.headers]));
    return parsed;
  }

  test('no answer, no log line and no dump of the database holds a key, a secret, a code or a token', async () => {
    const { standin } = backend;
    const codeOf = (user: string, rotate = false) => {
      const { code } = standin.phone.login({ user, rotate });
      secrets.set(`code ${secrets.size} of ${user}`, code);
      remember(user);
      return code;
    };
    const inputOf = (user: string) => {
      const input = loginInputOf(backend, user, {});
      secrets.set(`code ${secrets.size} of ${user}`, input.code);
      return input;
    };

    for (const user of ['a', 'b', 'c']) {
      const answer = await call('auth.checkUser', { code: codeOf(user) });
      await call('auth.login', inputOf(user));
      await call('auth.login', { ...inputOf(user), code: codeOf(user, true) });
      await call('user.me', '', answer.result?.data.token);
      await call('auth.checkUser,auth.checkUser?batch=1', { 0: { code: codeOf(user) }, 1: { code: codeOf(user) } });
    }
    const { result } = await call('auth.checkUser', { code: codeOf('a') });
    await call('auth.logout', '', result?.data.token);
    await call('auth.logoutAll', '', result?.data.token);

    const input = inputOf('a');
    for (const odd of [
      { ...input, code: codeOf('a'), signature: '0'.repeat(40) },
      { ...input, code: `${codeOf('a')} ` },
      { ...input, code: codeOf('a'), iv: 'odd' },
      { ...input, code: codeOf('a'), encryptedData: 'AAAAAAAAAAAAAAAAAAAAAA==' },
      { ...input, code: codeOf('a'), rawData: '{"nickName":{}}' },
      { ...input, code: codeOf('a'), appId: 'wxother' },
      `{"code":"${codeOf('a')}"`,
      `{"code":"${codeOf('a')}",}`,
    ]) {
      await call('auth.login', odd);
    }
    await call(`auth.${codeOf('a')}`, {});
    await call(`auth.checkUser?code=${codeOf('a')}`, {});
    await call('user.me', '', codeOf('a'));

    const faults = [
      { kind: 'errcode', errcode: -1 },
      { kind: 'errcode', errcode: 40125, errmsg: `invalid appsecret ${backend.environment.WX_SECRET}, rid: 1-2-3` },
      { kind: 'errcode', errcode: 40163, errmsg: 'code been used' },
      { kind: 'errcode', errcode: 45011 },
      { kind: 'errcode', errcode: 99999 },
      {
        kind: 'raw',
        body: `{"openid":"${standin.person('a').openid}","session_key":"${standin.person('a').sessionKey}`,
      },
      { kind: 'raw', body: `{"openid":1,"session_key":"${standin.person('a').sessionKey}"}` },
      { kind: 'html' },
      { kind: 'reset' },
      { kind: 'reset', after: 'half' },
      { kind: 'hang' },
      { kind: 'redirect', location: 'http://127.0.0.1:1/' },
    ] as const;
    for (const fault of faults) {
      const code = codeOf('a');
      standin.phone.fault({ code, times: 3, fault });
      await call('auth.checkUser', { code });
      // After WeChat's 45011 it is left alone until the next minute.
      backend.clock.now += 60_000;
    }
    const dumped = await dump(databaseUrl);
    await backend.stopServer();

    expect(secrets.size).toBeGreaterThan(50);
    expect(tokens.size).toBeGreaterThan(9);
    expect(dumped).toContain(standin.person('a').openid);
    for (const [name, secret] of [
      ...secrets,
      ...[...tokens].map(([token, path]) => [`token of ${path}`, token] as const),
    ]) {
      const places = {
        answer: answers.find((answer) => answer.includes(secret)),
        log: backend.logged.find((line) => line.includes(secret)),
        dump: dumped.includes(secret) ? 'somewhere' : undefined,
      };
      expect({ name, places }).toEqual({ name, places: {} });
    }
    expect(backend.logged.length).toBeGreaterThan(40);
    expect(backend.logged.join()).not.toContain(standin.person('a').openid);
  });
});
