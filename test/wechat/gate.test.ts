import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AppError } from '../../src/errors.ts';
import { createGate } from '../../src/wechat/gate.ts';
import { failureOf, startBackend, type Backend } from '../support/backend.ts';

const path = '/sns/jscode2session';
const secondMs = 1000;

describe("after WeChat's 45011 or 45009", () => {
  let backend: Backend;
  beforeEach(async () => {
    backend = await startBackend({
      env: { WX_APPS: 'wx2222222222222222:22222222222222222222222222222222' },
      standin: {
        apps: [
          { appId: 'wx0123456789abcdef', secret: '0123456789abcdef0123456789abcdef' },
          { appId: 'wx2222222222222222', secret: '2'.repeat(32) },
        ],
      },
    });
    // 20 seconds into a minute.
    backend.clock.now = Math.floor(backend.clock.now / 60_000) * 60_000 + 20 * secondMs;
  });
  afterEach(() => backend.close());

  const exchanges = () => backend.standin.phone.stats().paths[path]?.requests ?? 0;
  const refuse = (errcode: number, times = 1) =>
    backend.standin.phone.fault({ path, times, fault: { kind: 'errcode', errcode } });
  const outcome = async (user = 'somebody', appId?: string) => {
    const { code } = backend.standin.phone.login({ user, ...(appId && { appId }) });
    const failure = await failureOf(backend.client().auth.checkUser.mutate({ code, ...(appId && { appId }) }));
    return failure && 'reason' in failure ? failure.reason : 'OK';
  };

  test('it is left alone until the next minute: calls are refused with Retry-After, nothing is asked or written', async () => {
    for (const errcode of [45011, 45009]) {
      refuse(errcode);
      expect(await outcome()).toBe('WECHAT_RATE_LIMITED');
      const before = exchanges();
      backend.clock.now += 9 * secondMs;
      const { code } = backend.standin.phone.login({ user: `unstored${errcode}` });
      const refused = await fetch(`${backend.url}/trpc/auth.checkUser`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ code }),
      });
      expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '31']);
      expect(await refused.json()).toMatchObject({
        error: { data: { reason: 'WECHAT_RATE_LIMITED', retry: 'later' } },
      });
      expect(exchanges()).toBe(before);
      expect(await backend.store.findUser(backend.standin.person(`unstored${errcode}`).openid)).toBeNull();
      backend.clock.now += 31 * secondMs;
      // The code was not spent.
      expect(await failureOf(backend.client().auth.checkUser.mutate({ code }))).toBeNull();
      backend.clock.now += 20 * secondMs;
    }
  });

  test('one call every 10 s goes through as a probe; while it is refused the others wait', async () => {
    refuse(45011, 3);
    expect(await outcome()).toBe('WECHAT_RATE_LIMITED');
    for (let probes = 1; probes <= 2; probes++) {
      backend.clock.now += 10 * secondMs;
      const before = exchanges();
      const outcomes = await Promise.all(Array.from({ length: 20 }, () => outcome()));
      expect(new Set(outcomes)).toEqual(new Set(['WECHAT_RATE_LIMITED']));
      expect(exchanges()).toBe(before + 1);
    }
  });

  test('a probe that succeeds ends the pause; one that fails otherwise does not', async () => {
    refuse(45011);
    await outcome();
    backend.clock.now += 10 * secondMs;
    refuse(40029);
    expect(await outcome()).toBe('CODE_INVALID');
    expect(await outcome()).toBe('WECHAT_RATE_LIMITED');
    backend.clock.now += 10 * secondMs;
    expect(await outcome()).toBe('OK');
    expect(await outcome()).toBe('OK');
  });

  test('the other apps are served on', async () => {
    refuse(45011);
    await outcome();
    expect(await outcome()).toBe('WECHAT_RATE_LIMITED');
    expect(await outcome('somebody', 'wx2222222222222222')).toBe('OK');
  });
});

describe('calls to WeChat at the same time', () => {
  const never = new Promise<never>(() => {});
  const reasonOf = (call: Promise<unknown>) =>
    call.then(
      () => 'OK',
      (error: unknown) => (error instanceof AppError ? `${error.reason} ${error.retryAfterSeconds}` : 'odd'),
    );

  test('are as many as allowed; one more is refused at once, and each that ends makes room', async () => {
    const gate = createGate({ maxInFlight: 2 });
    const ends: (() => void)[] = [];
    const slow = () => gate.pass('app', () => new Promise<void>((resolve) => ends.push(resolve)));
    const first = slow();
    const second = gate.pass('other app', () => never);
    void second.catch(() => {});
    expect(await reasonOf(gate.pass('app', async () => 1))).toBe('WECHAT_BUSY 1');
    expect(gate.inFlight()).toBe(2);
    ends.forEach((end) => end());
    await first;
    expect(await reasonOf(gate.pass('app', async () => 1))).toBe('OK');
    expect(await reasonOf(gate.pass('app', () => Promise.reject(new Error('odd'))))).toBe('odd');
    expect(gate.inFlight()).toBe(1);
  });

  test('beyond 500 are WECHAT_BUSY through the front door, and WeChat sees 500', async () => {
    const backend = await startBackend({ env: { RATE_LIMIT_PER_MINUTE: '0', WX_TIMEOUT_MS: '4000' } });
    const { phone } = backend.standin;
    phone.fault({ path, times: 500, fault: { kind: 'hang' } });
    const codes = Array.from({ length: 520 }, (_, i) => phone.login({ user: `u${i % 20}` }).code);
    const failures = await Promise.all(
      codes.map((code) => failureOf(backend.client().auth.checkUser.mutate({ code }))),
    );
    const busy = failures.filter((failure) => failure && 'reason' in failure && failure.reason === 'WECHAT_BUSY');
    expect(busy).toHaveLength(20);
    expect(busy[0]).toMatchObject({ httpStatus: 503, retry: 'later' });
    expect(phone.stats().paths[path]).toMatchObject({ requests: 500, highestInFlight: 500 });
    await backend.close();
  });
});
