import { expect, test } from 'vitest';
import { createCalls } from '../calls.ts';

const answer = { statusCode: 200, header: {}, body: '[]' };

async function shown(body: string): Promise<string | undefined> {
  const calls = createCalls();
  await calls.record('wx.request', { url: 'http://127.0.0.1/trpc/auth.checkUser', body }, async () => answer);
  return calls.all()[0]?.detail;
}

test('a batch is shown with its fields, and what opens a session or spends a code is cut short', async () => {
  expect(await shown('{"0":{"code":"0a1b2c3d","appId":"wx1"}}')).toBe('code 0a1… · appId wx1');
});

test.each(['{"code":"0a1b2c3d"}', '"0a1b2c3d"', '["0a1b2c3d"]', '[null]', '0a1b2c3d', '{"0":{},"1":"0a1b2c3d"}'])(
  'a body that is not a batch, such as %s, is not shown',
  async (body) => {
    expect(await shown(body)).toBe('');
  },
);

test('a call to an invalid URL is named by the API, and fails in the network’s words', async () => {
  const calls = createCalls();
  const failure = calls.record('wx.request', { url: 'nowhere' }, () => Promise.reject(new Error('invalid url')));
  await expect(failure).rejects.toThrow('invalid url');
  expect(calls.all()).toMatchObject([{ name: 'wx.request', outcome: 'failed', status: 'invalid url' }]);
});
