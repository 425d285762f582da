import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { AppError } from '../../src/errors.ts';
import { startStandin } from '../../packages/standin/src/server.ts';
import { createWechatApi } from '../../src/wechat/api.ts';
import { withinDeadline } from '../../src/wechat/deadline.ts';
import { failureOf, startBackend, type Backend } from '../support/backend.ts';

const path = '/sns/jscode2session';

describe("WeChat's 45011 or 45009", () => {
  let backend: Backend;
  beforeEach(async () => {
    backend = await startBackend();
    // 20 seconds into a minute.
    backend.clock.now = Math.floor(backend.clock.now / 60_000) * 60_000 + 20_000;
  });
  afterEach(() => backend.close());

  const exchanges = () => backend.standin.phone.stats().paths[path]?.requests ?? 0;
  const codeOf = (user: string) => backend.standin.phone.login({ user }).code;
  /** A code for which WeChat says that its user's quota is used up. */
  const refusedCodeOf = (user: string, errcode = 45011) => {
    const code = codeOf(user);
    backend.standin.phone.fault({ path, code, fault: { kind: 'errcode', errcode } });
    return code;
  };
  const outcome = async (code: string) => {
    const failure = await failureOf(backend.client().auth.checkUser.mutate({ code }));
    return failure && 'reason' in failure ? failure.reason : 'OK';
  };

  test.each([45011, 45009])('%i becomes a 429 with Retry-After until the next minute', async (errcode) => {
    const refused = await fetch(`${backend.url}/trpc/auth.checkUser`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ code: refusedCodeOf('noisy', errcode) }),
    });
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '40']);
    expect(await refused.json()).toMatchObject({ error: { data: { reason: 'WECHAT_RATE_LIMITED', retry: 'later' } } });
    expect(await backend.store.findUser(backend.standin.person('noisy').openid)).toBeNull();
  });

  test("one user's refusals hold back no login of another user", async () => {
    for (const errcode of [45011, 45009]) {
      expect(await outcome(refusedCodeOf('noisy', errcode))).toBe('WECHAT_RATE_LIMITED');
      const others = Array.from({ length: 20 }, (_, index) => outcome(codeOf(`quiet${index}`)));
      expect(new Set(await Promise.all(others))).toEqual(new Set(['OK']));
    }
  });

  test('each call asks WeChat once', async () => {
    for (let call = 1; call <= 3; call++) {
      expect(await outcome(refusedCodeOf('noisy'))).toBe('WECHAT_RATE_LIMITED');
      expect(exchanges()).toBe(call);
    }
    expect(await outcome(codeOf('noisy'))).toBe('OK');
  });
});

describe('requests to WeChat at the same time', () => {
  test('requests of all apps together are bounded: one more is WECHAT_BUSY and not sent, and each that ends makes room', async () => {
    const standin = await startStandin();
    const api = createWechatApi({ baseUrl: standin.url, maxInFlight: 2 });
    onTestFinished(async () => {
      await api.close();
      await standin.close();
    });
    standin.phone.fault({ path, times: 2, fault: { kind: 'hang' } });
    const reasonOf = (timeoutMs: number, appId: string) =>
      withinDeadline(timeoutMs, (deadline) =>
        api.requestWithRetry({ method: 'GET', path, query: {}, appId, isRepeatable: true }, deadline),
      ).then(
        () => 'OK',
        (error: unknown) => (error instanceof AppError ? `${error.reason} ${error.retryAfterSeconds}` : 'odd'),
      );
    const hanging = [reasonOf(500, 'wx1'), reasonOf(500, 'wx2')];
    expect(await reasonOf(500, 'wx3')).toBe('WECHAT_BUSY 1');
    expect(api.inFlight()).toBe(2);
    expect(await Promise.all(hanging)).toEqual(['WECHAT_TIMEOUT undefined', 'WECHAT_TIMEOUT undefined']);
    expect(api.inFlight()).toBe(0);
    standin.phone.reset({ what: 'faults' });
    // Without an app and a code WeChat refuses it, but it is sent.
    expect(await reasonOf(5000, 'wx1')).toMatch(/^WECHAT_REJECTED/);
    expect(standin.phone.stats().paths[path]?.requests).toBeLessThanOrEqual(3);
  });

  test('requests beyond 500 are WECHAT_BUSY through the front door, and WeChat sees 500', async () => {
    const backend = await startBackend({ env: { RATE_LIMIT_PER_MINUTE: '0', WX_TIMEOUT_MS: '60000' } });
    onTestFinished(() => backend.close());
    const { phone } = backend.standin;
    phone.fault({ path, times: 500, fault: { kind: 'hang' } });
    const codes = Array.from({ length: 520 }, (_, i) => phone.login({ user: `u${i % 20}` }).code);
    const refused: unknown[] = [];
    const calls = codes.map((code) =>
      failureOf(backend.client().auth.checkUser.mutate({ code })).then((failure) => refused.push(failure)),
    );
    await expect.poll(() => refused.length, { timeout: 50_000 }).toBe(20);
    for (const failure of refused) {
      expect(failure).toMatchObject({ reason: 'WECHAT_BUSY', httpStatus: 503, retry: 'later' });
    }
    await expect.poll(() => phone.stats().paths[path]).toMatchObject({ requests: 500, highestInFlight: 500 });
    // WeChat goes away, and so the calls that hang end.
    await backend.standin.away();
    await Promise.all(calls);
  });
});

test('a request that is sent only once has a connection of its own: a kept one may be closed just as it is used', async () => {
  const served = new WeakSet<object>();
  const server = createServer((request, response) => {
    // As a WeChat that closes each kept connection when the next request comes.
    if (served.has(request.socket)) return request.socket.destroy();
    served.add(request.socket);
    return response.end('{}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const api = createWechatApi({ baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  onTestFinished(async () => {
    await api.close();
    server.close();
  });
  const send = (isRepeatable: boolean) =>
    withinDeadline(5000, (deadline) =>
      api.requestWithRetry({ method: 'GET', path, query: {}, appId: 'wx1', isRepeatable }, deadline),
    );
  for (const isRepeatable of [true, false, true, false, false]) expect(await send(isRepeatable)).toEqual({});
});
