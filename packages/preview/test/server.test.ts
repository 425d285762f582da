import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Preview, startPreview } from '../server.ts';
import { type Standin, startStandin } from '../../standin/src/server.ts';

let standin: Standin;
let preview: Preview;
beforeAll(async () => {
  standin = await startStandin();
  preview = await startPreview({
    port: 0,
    standin,
    backendUrl: 'http://127.0.0.1:1',
    readRow: () => Promise.resolve(null),
  });
});
afterAll(async () => {
  await preview.close();
  await standin.close();
});

const json = { 'content-type': 'application/json' };

/** By node:http, which lets one say any Host. */
function post(path: string, { headers = json, body = '{}' }: { headers?: Record<string, string>; body?: string } = {}) {
  return new Promise<{ status: number | undefined; text: string }>((resolve, reject) => {
    const outgoing = request(preview.url + path, { method: 'POST', headers }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      answer.on('end', () => resolve({ status: answer.statusCode, text }));
    });
    outgoing.on('error', reject).end(body);
  });
}

describe('another web page in the same browser cannot reach the phone’s native side', () => {
  const own = () => new URL(preview.url).host;

  test('the preview’s own page reaches it, by either of its names', async () => {
    const local = own().replace('127.0.0.1', 'localhost');
    for (const host of [own(), local]) {
      const { status, text } = await post('/native/login', { headers: { ...json, host, origin: `http://${host}` } });
      expect([status, text]).toEqual([200, expect.stringMatching(/^\{"result":\{"code":"/)]);
    }
  });

  test.each([
    ['of another origin', () => ({ ...json, origin: 'https://evil.example' }), 403, 'unknown origin'],
    ['of no origin', () => ({ ...json, origin: 'null' }), 403, 'unknown origin'],
    [
      'with a name that leads here',
      () => ({ ...json, host: own().replace('127.0.0.1', 'evil.example') }),
      403,
      'unknown host',
    ],
    ['at another port', () => ({ ...json, host: '127.0.0.1:1' }), 403, 'unknown host'],
    ['that sends a form', () => ({ 'content-type': 'text/plain' }), 415, 'JSON only'],
  ])('a page %s does not reach it', async (_, headers, status, text) => {
    expect(await post('/native/login', { headers: headers() })).toEqual({ status, text });
  });
});

test('the page around the phone is in the language that it is started in', async () => {
  expect(await (await fetch(preview.url)).text()).toContain('<html lang="zh">');
  const backendUrl = 'http://127.0.0.1:1';
  const other = await startPreview({
    port: 0,
    standin,
    backendUrl,
    readRow: () => Promise.resolve(null),
    language: 'en',
  });
  try {
    expect(await (await fetch(other.url)).text()).toContain('<html lang="en">');
  } finally {
    await other.close();
  }
});

test.each(['{', '', 'null', '[]', '{"user":5}', '{"user":""}', '{"offline":"yes"}', '{"password":"x"}'])(
  'settings like %j are refused, and change nothing',
  async (body) => {
    const before = { ...preview.phone.settings };
    expect(await post('/preview/settings', { body })).toMatchObject({ status: 400 });
    expect(preview.phone.settings).toEqual(before);
  },
);

test('a valid setting is taken', async () => {
  expect(await post('/preview/settings', { body: '{"anonymous":true}' })).toMatchObject({ status: 200 });
  expect(preview.phone.settings.anonymous).toBe(true);
});

test('a request to an invalid URL fails in the words of a phone', async () => {
  const body = JSON.stringify({ url: 'nowhere', method: 'GET', header: {}, body: null, timeoutMs: 1000 });
  expect((await post('/native/request', { body })).text).toBe('{"error":"invalid url \\"nowhere\\""}');
});
