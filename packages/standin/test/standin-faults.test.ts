import { once } from 'node:events';
import { request } from 'node:http';
import { type Socket, connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { FaultInput } from '../src/faults.ts';
import { type Standin, devApp, startStandin } from '../src/server.ts';

let standin: Standin;
beforeEach(async () => {
  standin = await startStandin();
});
afterEach(() => standin.close());

function login(): string {
  return standin.phone.login({ user: 'ming' }).code;
}

function path(code: string): string {
  const { appId, secret } = devApp;
  return `/sns/jscode2session?appid=${appId}&secret=${secret}&js_code=${code}&grant_type=authorization_code`;
}

function exchange(code: string, init?: RequestInit): Promise<Response> {
  return fetch(standin.url + path(code), { redirect: 'manual', ...init });
}

async function json(code: string): Promise<Record<string, unknown>> {
  return JSON.parse(await (await exchange(code)).text());
}

async function order(input: FaultInput): Promise<void> {
  const response = await fetch(`${standin.url}/phone/fault`, { method: 'POST', body: JSON.stringify(input) });
  expect(await response.json()).toEqual({ ordered: true });
}

/** A code, a fault for it, and the answer to its exchange. */
async function struck(
  fault: FaultInput['fault'],
  extra: Partial<FaultInput> = {},
): Promise<{ code: string; response: Response }> {
  const code = login();
  await order({ code, fault, ...extra });
  return { code, response: await exchange(code) };
}

/** Everything that one request on a connection of its own brings back, with the time of each piece. */
async function raw(
  code: string,
  giveUpMs = 2000,
): Promise<{ text: string; pieces: number; ended: 'closed' | 'reset' | 'open' }> {
  const socket: Socket = connect(Number(new URL(standin.url).port), '127.0.0.1');
  let text = '';
  let pieces = 0;
  let ended: 'closed' | 'reset' | 'open' = 'open';
  socket.on('data', (bytes) => {
    text += bytes.toString('latin1');
    pieces += 1;
  });
  socket.on('error', () => (ended = 'reset'));
  socket.on('end', () => (ended = 'closed'));
  socket.write(`GET ${path(code)} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`);
  await Promise.race([once(socket, 'close').catch(() => undefined), wait(giveUpMs)]);
  socket.destroy();
  return { text, pieces, ended };
}

async function rawStruck(fault: FaultInput['fault'], giveUpMs?: number) {
  const code = login();
  await order({ code, fault });
  return { code, ...(await raw(code, giveUpMs)) };
}

function bodyOf(text: string): string {
  return text.slice(text.indexOf('\r\n\r\n') + 4);
}

describe('a fault of the content', () => {
  test.each([-1, '-1', 45011, 45009, 40164, 40029, '40163', 12345])(
    'a fault answers the errcode %j as it was given, and leaves the code good',
    async (errcode) => {
      const { code, response } = await struck({ kind: 'errcode', errcode });
      expect(response.status).toBe(200);
      expect(JSON.parse(await response.text())).toEqual({
        errcode,
        errmsg: expect.stringMatching(/, rid: [0-9a-f-]{26}$/),
      });
      expect(await json(code)).toHaveProperty('session_key');
    },
  );

  test('a fault carries any errmsg', async () => {
    const { response } = await struck({ kind: 'errcode', errcode: -1, errmsg: 'system error' });
    expect(JSON.parse(await response.text())).toEqual({ errcode: -1, errmsg: 'system error' });
  });

  test('a fault changes types, values and presence of fields in the true answer, and spends the code', async () => {
    const { response, code } = await struck({ kind: 'fields' });
    expect(JSON.parse(await response.text())).toEqual({ openid: 12345, session_key: 67890 });
    expect(await json(code)).toMatchObject({ errcode: 40163 });
    const odd = await struck({ kind: 'fields', set: { errcode: 0, openid: null }, without: ['session_key'] });
    expect(JSON.parse(await odd.response.text())).toEqual({ errcode: 0, openid: null });
  });

  test('a fault answers an HTML 502', async () => {
    const { response } = await struck({ kind: 'html' });
    expect([response.status, response.headers.get('content-type')]).toEqual([502, 'text/html']);
    expect(await response.text()).toBe('<html><head><title>502 Bad Gateway</title></head></html>');
  });

  test('a fault answers any HTTP status', async () => {
    for (const status of [200, 400, 403, 429, 500, 503]) {
      const { response } = await struck({ kind: 'status', status, body: 'no' });
      expect([response.status, await response.text()]).toEqual([status, 'no']);
    }
  });

  test('a fault answers an empty body', async () => {
    const { response } = await struck({ kind: 'empty' });
    expect([response.status, await response.text()]).toEqual([200, '']);
  });

  test('a fault redirects to any address', async () => {
    const { response } = await struck({ kind: 'redirect', location: `${standin.url}/elsewhere?a=%20b` });
    expect([response.status, response.headers.get('location')]).toEqual([302, `${standin.url}/elsewhere?a=%20b`]);
    expect(standin.phone.stats().paths['/elsewhere']).toBeUndefined();
  });

  test('a fault answers any bytes of any type', async () => {
    const text = await struck({ kind: 'raw', body: '[1,', contentType: 'application/json', status: 201 });
    expect([text.response.status, text.response.headers.get('content-type'), await text.response.text()]).toEqual([
      201,
      'application/json',
      '[1,',
    ]);
    const bytes = await struck({
      kind: 'raw',
      body: Buffer.from([0xff, 0xfe, 0x00]).toString('base64'),
      encoding: 'base64',
    });
    expect(Buffer.from(await bytes.response.arrayBuffer())).toEqual(Buffer.from([0xff, 0xfe, 0x00]));
  });

  test('a fault answers 32 MB that are still valid JSON', async () => {
    const { response } = await struck({ kind: 'huge' });
    expect(response.headers.get('content-length')).toBeNull();
    const text = await response.text();
    expect(text).toHaveLength(32 * 1024 * 1024);
    expect(JSON.parse(text)).toHaveProperty('session_key');
  });

  test('a fault answers a gzip bomb, small on the wire', async () => {
    const code = login();
    await order({ code, fault: { kind: 'gzipBomb', bytes: 16 * 1024 * 1024 } });
    const wire = await new Promise<number>((resolve, reject) => {
      request(standin.url + path(code), (response) => {
        let length = 0;
        expect(response.headers['content-encoding']).toBe('gzip');
        response.on('data', (bytes: Buffer) => (length += bytes.length)).on('end', () => resolve(length));
      })
        .on('error', reject)
        .end();
    });
    expect(wire).toBeLessThan(64 * 1024);
    const { response } = await struck({ kind: 'gzipBomb', bytes: 16 * 1024 * 1024 });
    expect(await response.text()).toHaveLength(16 * 1024 * 1024);
  });

  test('a reader that hangs up in the middle leaves the stand-in serving', async () => {
    const { response } = await struck({ kind: 'huge', bytes: 1024 * 1024 * 1024 });
    await response.body?.cancel();
    expect(await json(login())).toHaveProperty('session_key');
    await expect.poll(() => standin.phone.stats().paths['/sns/jscode2session']?.inFlight).toBe(0);
  });
});

describe('a fault of the transport', () => {
  test('a fault hangs without a byte, after the headers, or after half of the body, the connection open', async () => {
    expect(await rawStruck({ kind: 'hang' }, 200)).toMatchObject({ text: '', ended: 'open' });
    const headers = await rawStruck({ kind: 'hang', after: 'headers' }, 200);
    expect(headers.ended).toBe('open');
    expect(headers.text).toMatch(/^HTTP\/1.1 200 OK\r\n[^]*\r\n\r\n$/);
    const half = await rawStruck({ kind: 'hang', after: 'half' }, 200);
    expect(half.ended).toBe('open');
    expect(bodyOf(half.text)).toMatch(/^\{"session_key":"/);
  });

  test('a fault resets before any byte, the code still good', async () => {
    const { code, text, ended } = await rawStruck({ kind: 'reset' });
    expect([text, ended]).toEqual(['', 'reset']);
    expect(await json(code)).toHaveProperty('session_key');
  });

  test('a fault breaks off in the middle of the body, by reset or in order, shorter than it promised', async () => {
    for (const [how, ended] of [
      ['reset', 'reset'],
      ['close', 'closed'],
    ] as const) {
      const given = await rawStruck({ kind: 'reset', after: 'half', how });
      const promised = Number(/content-length: (\d+)/.exec(given.text)?.[1]);
      expect(given.ended).toBe(ended);
      expect(bodyOf(given.text)).toHaveLength(Math.ceil(promised / 2));
      expect(await json(given.code)).toMatchObject({ errcode: 40163 });
    }
    expect(await rawStruck({ kind: 'reset', how: 'close' })).toMatchObject({ text: '', ended: 'closed' });
  });

  test('a fault sends the true answer late, as it was when it was asked for', async () => {
    const code = login();
    await order({ code, fault: { kind: 'delay', ms: 150 } });
    const { sessionKey } = standin.person('ming');
    const started = performance.now();
    const late = json(code);
    await expect.poll(() => standin.phone.stats().codes[code]?.inFlight).toBe(1);
    standin.phone.rotate({ user: 'ming' });
    expect((await late)['session_key']).toBe(sessionKey);
    expect(performance.now() - started).toBeGreaterThanOrEqual(145);
  });

  test('a fault sends the true answer byte by byte, with its head or without', async () => {
    const body = await rawStruck({ kind: 'trickle', msPerByte: 2 });
    expect(JSON.parse(bodyOf(body.text))).toHaveProperty('session_key');
    expect(body.pieces).toBeGreaterThan(40);
    const all = await rawStruck({ kind: 'trickle', msPerByte: 2, head: true });
    expect(JSON.parse(bodyOf(all.text))).toHaveProperty('session_key');
    expect(all.pieces).toBeGreaterThan(100);
    expect(all.ended).toBe('closed');
    const slow = await rawStruck({ kind: 'trickle', head: true }, 250);
    expect(slow.text.length).toBeLessThanOrEqual(3);
  });

  test('a fault refuses connections for a while, then serves again at the same address', async () => {
    const code = login();
    standin.phone.fault({ fault: { kind: 'away', ms: 200 } });
    await expect(exchange(code)).rejects.toThrow();
    await expect(exchange(code)).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
    await expect.poll(() => json(code).catch(() => ({}))).toHaveProperty('session_key');
  });

  test('a fault can be switched on and off by the test itself, and closing while away is final', async () => {
    await standin.away();
    await expect(exchange('x')).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
    await standin.back();
    expect(await json(login())).toHaveProperty('session_key');
    await standin.away(50);
    await standin.back();
    const going = standin.away(50);
    await standin.close();
    await going;
    await wait(100);
    await expect(exchange('x')).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
  });

  test('a fault does not keep the stand-in from closing', async () => {
    await order({ fault: { kind: 'hang' } });
    const hanging = expect(exchange(login())).rejects.toThrow();
    await expect.poll(() => standin.phone.stats().paths['/sns/jscode2session']?.inFlight).toBe(1);
    await standin.close();
    await hanging;
  });
});

describe('which requests a fault hits', () => {
  const busy = { kind: 'errcode', errcode: -1 } as const;
  const errcodes = async (codes: string[]) => {
    const seen: unknown[] = [];
    for (const code of codes) seen.push((await json(code))['errcode'] ?? 'ok');
    return seen;
  };

  test('a fault hits a chosen code and no other, as often as said', async () => {
    const [code, other] = [login(), login()];
    await order({ code, times: 2, fault: busy });
    expect(await errcodes([other, code, code, code])).toEqual(['ok', -1, -1, 'ok']);
  });

  test('a fault hits the next n requests to a path, by default the exchange', async () => {
    await order({ path: '/cgi-bin/elsewhere', fault: busy });
    await order({ times: 2, fault: busy });
    expect(await errcodes([login(), login(), login()])).toEqual([-1, -1, 'ok']);
  });

  test('a fault hits every second request', async () => {
    await order({ times: 2, every: 2, fault: busy });
    expect(await errcodes(Array.from({ length: 6 }, login))).toEqual(['ok', -1, 'ok', -1, 'ok', 'ok']);
  });

  test('faults hit one after another in the order they came, a code’s own first', async () => {
    const code = login();
    await order({ fault: { kind: 'errcode', errcode: 1 } });
    await order({ fault: { kind: 'errcode', errcode: 2 } });
    await order({ code, fault: { kind: 'errcode', errcode: 3 } });
    expect(await errcodes([code, code, code, code])).toEqual([3, 1, 2, 'ok']);
  });

  test('a fault spends or spares the code as it says', async () => {
    const code = login();
    await order({ code, spend: true, fault: busy });
    expect(await errcodes([code, code])).toEqual([-1, 40163]);
    const spared = login();
    await order({ code: spared, spend: false, fault: { kind: 'delay', ms: 1 } });
    expect(await errcodes([spared, spared, spared])).toEqual(['ok', 'ok', 40163]);
    expect(standin.phone.stats().codes[spared]).toMatchObject({ requests: 3, succeeded: 1 });
  });
});
