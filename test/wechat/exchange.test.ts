import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { AppError } from '../../src/errors.ts';
import { devApp, startStandin, type Standin } from '../../packages/standin/src/server.ts';
import { createWechatApi } from '../../src/wechat/api.ts';
import { createWechat } from '../../src/wechat/exchange.ts';
import vectors from '../vectors.json' with { type: 'json' };

/** Longer than a gzip bomb takes on a busy machine. */
const timeoutMs = 10_000;
let standin: Standin;
let wechat: Client;
let hasty: Client;
const now = () => vectors.clock * 1000;

type Client = ReturnType<typeof createClient>;

/** The client of the development app at this address. */
function createClient(baseUrl: string, timeoutMs: number) {
  const api = createWechatApi({ baseUrl, now });
  const appSecrets = new Map([[devApp.appId, devApp.secret]]);
  const wechat = createWechat({ api, appSecrets, defaultApp: devApp.appId, timeoutMs, now });
  return { ...wechat, close: () => api.close() };
}

beforeAll(async () => {
  standin = await startStandin({ now });
  wechat = createClient(standin.url, timeoutMs);
  hasty = createClient(standin.url, 1000);
});
beforeEach(() => standin.phone.reset({ what: 'all' }));
afterAll(async () => {
  await wechat.close();
  await hasty.close();
  await standin.close();
});

const newCode = () => standin.phone.login({ user: 'xiaoming' }).code;
const path = '/sns/jscode2session';
const requests = () => standin.phone.stats().paths[path]?.requests ?? 0;

async function reasonOf(exchange: Promise<unknown>): Promise<string> {
  const error = await exchange.then(
    () => null,
    (failure: unknown) => failure,
  );
  if (!(error instanceof AppError)) throw new Error(`not refused: ${String(error)}`);
  // Neither the error nor what it carries may hold the address: it has the secret and the code in it.
  const all = JSON.stringify([error, error.message, error.detail, String(error.stack), String(error.cause)]);
  expect(all).not.toContain(devApp.secret);
  expect(all).not.toContain('js_code');
  return error.reason;
}

/** Answers every exchange with this body. */
async function reasonOfBody(body: string): Promise<string> {
  standin.phone.fault({ path, times: 1, fault: { kind: 'raw', body } });
  return reasonOf(wechat.exchangeCode(newCode()));
}

describe('an exchange', () => {
  test('an exchange gives the user of the code', async () => {
    const { openid, sessionKey } = standin.person('xiaoming');
    const exchange = await wechat.exchangeCode(newCode());
    expect(exchange).toMatchObject({ appId: devApp.appId, openId: openid, sessionKey, startedAt: now() });
  });

  test('an exchange sends each parameter once, encoded', async () => {
    const code = 'a&appid=other';
    await reasonOf(wechat.exchangeCode(code));
    expect(standin.lastExchange()).toEqual([
      ['appid', devApp.appId],
      ['secret', devApp.secret],
      ['js_code', code],
      ['grant_type', 'authorization_code'],
    ]);
  });

  test('a code is exchanged once: of 20 uses of one code exactly one succeeds, and results are not shared', async () => {
    const code = newCode();
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => wechat.exchangeCode(code)));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const reasons = results.flatMap((result) =>
      result.status === 'rejected' ? [(result.reason as AppError).reason] : [],
    );
    expect(new Set(reasons)).toEqual(new Set(['CODE_INVALID']));
  });

  test('an exchange for an app that is not ours does not reach WeChat', async () => {
    expect(await reasonOf(wechat.exchangeCode(newCode(), 'wxsomebodyelse'))).toBe('INPUT_INVALID');
    expect(requests()).toBe(0);
  });

  test('an exchange understands each of WeChat’s recorded answers', async () => {
    const answers = vectors.code2sessionResponses;
    for (const body of [answers.ok, answers.okWithErrcode0]) {
      standin.phone.fault({ path, times: 1, fault: { kind: 'raw', body } });
      expect(await wechat.exchangeCode(newCode())).toMatchObject({
        openId: 'oGZUI0egBJY1zhBYw2KhdUfwVJJE',
        unionId: null,
      });
    }
    standin.phone.fault({ path, times: 1, fault: { kind: 'raw', body: answers.okWithUnionid } });
    expect(await wechat.exchangeCode(newCode())).toMatchObject({ unionId: 'ocMvos6NjeKLIBqg5Mr9QjxrP1FA' });
    expect(await reasonOfBody(answers.invalidCode)).toBe('CODE_INVALID');
    expect(await reasonOfBody(answers.codeUsed)).toBe('CODE_INVALID');
    expect(await reasonOfBody(answers.stringErrcode)).toBe('CODE_INVALID');
    expect(await reasonOfBody(answers.minuteQuota)).toBe('WECHAT_RATE_LIMITED');
    expect(await reasonOfBody(answers.blocked)).toBe('USER_BLOCKED');
    expect(await reasonOfBody(answers.badSecret)).toBe('WECHAT_REJECTED');
    expect(await reasonOfBody(answers.badAppid)).toBe('WECHAT_REJECTED');
    expect(await reasonOfBody(answers.html502)).toBe('WECHAT_BAD_RESPONSE');
    expect(await reasonOfBody(answers.empty)).toBe('WECHAT_BAD_RESPONSE');
  });
});

describe('each errcode of the contract has its reason', () => {
  const reasons: Record<number, string> = {
    40029: 'CODE_INVALID',
    40163: 'CODE_INVALID',
    41008: 'CODE_INVALID',
    40226: 'USER_BLOCKED',
    45011: 'WECHAT_RATE_LIMITED',
    45009: 'WECHAT_RATE_LIMITED',
    40013: 'WECHAT_REJECTED',
    40125: 'WECHAT_REJECTED',
    41002: 'WECHAT_REJECTED',
    41004: 'WECHAT_REJECTED',
    40164: 'WECHAT_REJECTED',
    40001: 'WECHAT_REJECTED',
    99999: 'WECHAT_REJECTED',
  };
  test.each(Object.entries(reasons))('an errcode %s is %s, and WeChat is asked once', async (errcode, reason) => {
    expect(await reasonOfBody(`{"errcode":${errcode},"errmsg":"x, rid: 63a1b2c3-11223344"}`)).toBe(reason);
    expect(await reasonOfBody(`{"errcode":"${errcode}"}`)).toBe(reason);
    expect(requests()).toBe(2);
  });

  test('an errcode and its rid go to the log, and a quota says when to come back', async () => {
    standin.phone.fault({ path, times: 1, fault: { kind: 'raw', body: vectors.code2sessionResponses.badSecret } });
    await expect(wechat.exchangeCode(newCode())).rejects.toMatchObject({
      detail: { errcode: 40125, rid: '63a1b2c3-11223344-55667788', appId: devApp.appId },
    });
    // The operator sees the advice, and never the errmsg.
    standin.phone.fault({
      path,
      times: 1,
      fault: { kind: 'raw', body: '{"errcode":40164,"errmsg":"invalid ip 1.2.3.4"}' },
    });
    await expect(wechat.exchangeCode(newCode())).rejects.toMatchObject({
      detail: { errcode: 40164, advice: expect.stringMatching(/^(?!.*errmsg).*IP allow-list/) as string },
    });
    standin.phone.fault({ path, times: 1, fault: { kind: 'raw', body: '{"errcode":45011}' } });
    // The clock stands at 22:13:20, and quotas start anew with the minute.
    await expect(wechat.exchangeCode(newCode())).rejects.toMatchObject({ retryAfterSeconds: 40 });
  });
});

describe('an answer that is not one', () => {
  const bodies = [
    'null',
    '[]',
    '1',
    '"ok"',
    '{',
    '{}',
    '{"errcode":0}',
    '{"errcode":null,"openid":"oTEST0000000000000000000000A","session_key":"f7n5qHM/QQjtB64zyvMq+g=="}',
    '{"errcode":{}}',
    '{"errcode":1.5}',
    '{"openid":"oTEST0000000000000000000000A"}',
    '{"session_key":"f7n5qHM/QQjtB64zyvMq+g=="}',
    '{"openid":1,"session_key":"f7n5qHM/QQjtB64zyvMq+g=="}',
    '{"openid":"short","session_key":"f7n5qHM/QQjtB64zyvMq+g=="}',
    '{"openid":"oTEST0000000000000000000000A ","session_key":"f7n5qHM/QQjtB64zyvMq+g=="}',
    '{"openid":"oTEST000000000000000000000é","session_key":"f7n5qHM/QQjtB64zyvMq+g=="}',
    '{"openid":"oTEST0000000000000000000000A","session_key":"f7n5qHM/QQjtB64zyvMq"}',
    '{"openid":"oTEST0000000000000000000000A","session_key":""}',
    '{"openid":"oTEST0000000000000000000000A","session_key":"f7n5qHM/QQjtB64zyvMq+g==","unionid":1}',
  ];
  test.each(bodies)('an answer of %s is WECHAT_BAD_RESPONSE', async (body) => {
    expect(await reasonOfBody(body)).toBe('WECHAT_BAD_RESPONSE');
    expect(requests()).toBe(1);
  });

  test('a good body with a status other than 200 is WECHAT_BAD_RESPONSE', async () => {
    for (const status of [201, 404, 500, 502]) {
      const body = vectors.code2sessionResponses.ok;
      standin.phone.fault({ path, times: 1, fault: { kind: 'raw', status, body } });
      expect(await reasonOf(wechat.exchangeCode(newCode()))).toBe('WECHAT_BAD_RESPONSE');
    }
  });

  test('a status other than 200, a redirect, half a body, 32 MB and a gzip bomb are asked once, and never followed', async () => {
    const faults: Parameters<typeof standin.phone.fault>[0]['fault'][] = [
      { kind: 'status', status: 500 },
      { kind: 'status', status: 404 },
      { kind: 'html' },
      { kind: 'redirect', location: `${standin.url}${path}` },
      { kind: 'reset', after: 'half' },
      { kind: 'reset', after: 'half', how: 'close' },
      { kind: 'reset', after: 'headers' },
      { kind: 'fields' },
      { kind: 'huge' },
      { kind: 'gzipBomb' },
      { kind: 'empty' },
    ];
    for (const fault of faults) {
      const before = requests();
      standin.phone.fault({ path, times: 1, fault });
      expect([fault.kind, await reasonOf(wechat.exchangeCode(newCode()))]).toEqual([fault.kind, 'WECHAT_BAD_RESPONSE']);
      expect(requests()).toBe(before + 1);
    }
  });
});

describe('a repeated try', () => {
  test('a repetition is made at most twice, and only where nothing can have been answered', async () => {
    standin.phone.fault({ path, times: 1, fault: { kind: 'reset' } });
    standin.phone.fault({ path, times: 1, fault: { kind: 'reset', how: 'close' } });
    expect(await wechat.exchangeCode(newCode())).toMatchObject({ appId: devApp.appId });
    expect(requests()).toBe(3);
    standin.phone.fault({ path, times: 5, fault: { kind: 'reset' }, spend: false });
    expect(await reasonOf(wechat.exchangeCode(newCode()))).toBe('WECHAT_TIMEOUT');
    expect(requests()).toBe(6);
  });

  test('a repetition is made when WeChat is busy, and then the code is still good', async () => {
    standin.phone.fault({ path, times: 2, fault: { kind: 'errcode', errcode: -1 }, spend: false });
    expect(await wechat.exchangeCode(newCode())).toMatchObject({ appId: devApp.appId });
    standin.phone.fault({ path, times: 3, fault: { kind: 'errcode', errcode: -1 }, spend: false });
    expect(await reasonOf(wechat.exchangeCode(newCode()))).toBe('WECHAT_BUSY');
    expect(requests()).toBe(6);
  });

  test('a repetition ends at the deadline where the server is not there', async () => {
    const gone = createServer();
    await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve));
    const { port } = gone.address() as AddressInfo;
    await new Promise((resolve) => gone.close(resolve));
    const lost = createClient(`http://127.0.0.1:${port}`, timeoutMs);
    expect(await reasonOf(lost.exchangeCode('abc'))).toBe('WECHAT_TIMEOUT');
    await lost.close();
  });
});

describe('on the wire', () => {
  const good = JSON.stringify({ openid: 'oTEST0000000000000000000000A', session_key: 'f7n5qHM/QQjtB64zyvMq+g==' });
  const whole = `HTTP/1.1 200 OK\r\ncontent-length: ${good.length}\r\n\r\n${good}`;

  /** WeChat whose answers are these, one for each request; `how` each connection ends after it, if it does. */
  async function startWire(...answers: { text: string; how?: 'fin' | 'rst' }[]) {
    let requests = 0;
    const server = createTcpServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', () => {
        const { text, how } = answers[requests++] ?? { text: '', how: 'rst' };
        const end = () => (how === 'fin' ? socket.end() : how === 'rst' ? socket.resetAndDestroy() : undefined);
        // The reset would otherwise overtake what was written.
        if (text === '') end();
        else socket.write(text, () => setTimeout(end, 30));
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const wire = createClient(`http://127.0.0.1:${port}`, timeoutMs);
    onTestFinished(async () => {
      server.close();
      await wire.close();
    });
    return { exchange: () => wire.exchangeCode('abc'), requests: () => requests };
  }

  const partial: [string, string, 'fin' | 'rst'][] = [
    ['half a status line', 'HTTP/1.1 20', 'fin'],
    ['half a status line', 'HTTP/1.1 20', 'rst'],
    ['a single byte', 'H', 'fin'],
    ['half of the headers', 'HTTP/1.1 200 OK\r\ncontent-type: text/pl', 'fin'],
    ['half of the headers', 'HTTP/1.1 200 OK\r\ncontent-type: text/pl', 'rst'],
    ['the whole head', 'HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n', 'fin'],
    ['half of the body', 'HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n{"open', 'rst'],
    ['100 Continue', 'HTTP/1.1 100 Continue\r\n\r\n', 'fin'],
    ['103 Early Hints', 'HTTP/1.1 103 Early Hints\r\n\r\n', 'fin'],
    ['bytes other than HTTP', 'SSH-2.0-x\r\n', 'fin'],
  ];
  test.each(partial)('a code is not sent again once an answer had begun: %s (%j), then %s', async (_, text, how) => {
    const fresh = await startWire({ text, how });
    expect(await reasonOf(fresh.exchange())).toBe('WECHAT_BAD_RESPONSE');
    expect(fresh.requests()).toBe(1);
    const used = await startWire({ text: whole }, { text, how });
    await used.exchange();
    expect(await reasonOf(used.exchange())).toBe('WECHAT_BAD_RESPONSE');
    expect(used.requests()).toBe(2);
  });

  test.each(['fin', 'rst'] as const)(
    'a code is sent again after a %s before any byte, on a connection that had served too',
    async (how) => {
      const fresh = await startWire({ text: '', how }, { text: whole });
      expect(await fresh.exchange()).toMatchObject({ openId: 'oTEST0000000000000000000000A' });
      expect(fresh.requests()).toBe(2);
      const used = await startWire({ text: whole }, { text: '', how }, { text: '', how }, { text: whole });
      await used.exchange();
      expect(await used.exchange()).toMatchObject({ openId: 'oTEST0000000000000000000000A' });
      expect(used.requests()).toBe(4);
    },
  );
});

describe('one deadline covers all of it', () => {
  test('a connection that is never made is not waited for beyond the deadline, nor is its request', async () => {
    const mute = createTcpServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1');
    await once(mute, 'listening');
    const { port } = mute.address() as AddressInfo;
    const lost = createClient(`https://127.0.0.1:${port}`, 300);
    const begun = performance.now();
    expect(await reasonOf(lost.exchangeCode('abc'))).toBe('WECHAT_TIMEOUT');
    // Sooner than undici gives up connecting.
    expect(performance.now() - begun).toBeLessThan(2500);
    await lost.close();
    expect(performance.now() - begun).toBeLessThan(8000);
    mute.close();
  });

  test('a server that hangs, trickles or never ends the body is WECHAT_TIMEOUT, and is asked once', async () => {
    const faults = [
      { kind: 'hang' },
      { kind: 'hang', after: 'half' },
      { kind: 'trickle' },
      { kind: 'trickle', head: true },
      { kind: 'delay', ms: 20_000 },
    ] as const;
    const reasons = faults.map((fault) => {
      const code = newCode();
      standin.phone.fault({ code, fault });
      return reasonOf(hasty.exchangeCode(code));
    });
    expect(await Promise.all(reasons)).toEqual(faults.map(() => 'WECHAT_TIMEOUT'));
    expect(requests()).toBe(faults.length);
  });
});
