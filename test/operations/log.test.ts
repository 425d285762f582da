import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLog, describeError, type LogFields } from '../../src/operations/log.ts';
import { failureOf, startBackend, type Backend } from '../support/backend.ts';

describe('a log line', () => {
  const logged: string[] = [];
  const log = createLog('trace', { write: (line) => logged.push(line) });
  const lineOf = (write: () => void): Record<string, unknown> => {
    write();
    return JSON.parse(logged.at(-1) ?? '');
  };

  test('a log line has the fields of the list and no other, whatever it is given', () => {
    const fields = {
      requestId: 'r1',
      count: 3,
      frames: ['at a', 'at b'],
      session_key: 'hush',
      token: 'hush',
      headers: { authorization: 'hush' },
      // In the list, and not of a kind that is plain.
      status: { body: 'hush' },
      url: new URL('http://hush'),
      // Not JSON.parse's: an own key of that name.
      ['__proto__']: 'hush',
      constructor: 'hush',
    };
    const line = lineOf(() => log.info(fields as unknown as LogFields, 'a message'));
    expect(Object.keys(line)).toEqual(['level', 'time', 'requestId', 'count', 'frames', 'msg']);
    expect(logged.join()).not.toContain('hush');
  });

  test('a log line has nothing of an error, of a request or of a text given in place of the fields', () => {
    const error = Object.assign(new Error('hush'), { sql: 'hush', code: 'E_HUSH', cause: new Error('hush') });
    const request = { method: 'GET', url: '/hush', headers: { authorization: 'hush' }, socket: {} };
    for (const odd of [error, request, 'hush', ['hush'], null]) {
      log.error(Object(odd) as LogFields, 'a message');
    }
    const { code, ...rest } = JSON.parse(logged.at(-5) ?? '');
    expect([code, rest.msg]).toEqual(['E_HUSH', 'a message']);
    expect(logged.slice(-5).join().replaceAll('E_HUSH', '').replaceAll('/hush', '')).not.toContain('hush');
    expect(describeError(error)).toMatchObject({ errorName: 'Error', code: 'E_HUSH' });
    expect(JSON.stringify(describeError(error)).replace('E_HUSH', '')).not.toContain('hush');
  });

  test('a log line is bounded', () => {
    const line = lineOf(() => log.warn({ reason: 'x'.repeat(100_000), frames: ['y'.repeat(100_000)] }, 'm'));
    expect(JSON.stringify(line).length).toBeLessThan(1200);
  });
});

describe('the log of a server', () => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await startBackend();
  });
  afterAll(() => backend.close());
  const codeOf = (user: string) => backend.standin.phone.login({ user }).code;
  const lastLine = (): Record<string, unknown> => JSON.parse(backend.logged.at(-1) ?? '');

  test('each call has a line: its request, its procedure, how long it took and how it ended', async () => {
    const response = await fetch(`${backend.url}/trpc/auth.checkUser`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ code: codeOf('a') }),
    });
    expect(lastLine()).toMatchObject({
      level: 30,
      requestId: response.headers.get('x-request-id'),
      procedure: 'auth.checkUser',
      reason: 'OK',
      durationMs: expect.any(Number),
    });
    await failureOf(backend.client().auth.checkUser.mutate({ code: 'made-up' }));
    expect(lastLine()).toMatchObject({ level: 30, reason: 'CODE_INVALID', errcode: 40029 });
  });

  test('each misconfiguration has a line of level error: what WeChat said, its rid, and what to do', async () => {
    const words: Record<number, RegExp> = {
      40013: /WX_APPID/,
      40125: /WX_SECRET/,
      40164: /IP allow-list/,
      41002: /WX_APPID/,
      41004: /WX_SECRET/,
      12345: /list of return codes/,
    };
    for (const [errcode, advice] of Object.entries(words)) {
      const code = codeOf('misconfigured');
      const errmsg = `some words hush, rid: 63a1b2c3-11223344-55667788`;
      backend.standin.phone.fault({ code, fault: { kind: 'errcode', errcode: Number(errcode), errmsg } });
      await failureOf(backend.client().auth.checkUser.mutate({ code }));
      expect(lastLine()).toMatchObject({
        level: 50,
        reason: 'WECHAT_REJECTED',
        errcode: Number(errcode),
        rid: expect.stringMatching(/^[0-9a-f-]+$/),
        appId: 'wx0123456789abcdef',
        advice: expect.stringMatching(advice),
      });
    }
    expect(backend.logged.join()).not.toContain('hush');
  });
});
