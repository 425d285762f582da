import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { AbortController } from '../src/abort-controller.ts';
import { createWxFetch } from '../src/wx-fetch.ts';

/** A `wx.request` whose outcome the test decides. */
function createNetwork() {
  const requests: {
    success: (text: string) => void;
    fail: (errMsg: string, errno?: number) => void;
    aborts: number;
  }[] = [];
  return {
    requests,
    request: ({ success, fail }: Parameters<Parameters<typeof createWxFetch>[0]>[0]) => {
      const sent = {
        success: (data: string) => success({ statusCode: 200, data, header: {} }),
        fail: (errMsg: string, errno?: number) => fail({ errMsg, ...(errno !== undefined && { errno }) }),
        aborts: 0,
      };
      requests.push(sent);
      return { abort: () => void (sent.aborts += 1) };
    },
  };
}

it('a request that is over is not aborted any more, by its signal or by its deadline', async () => {
  const { requests, request } = createNetwork();
  const { signal, abort } = new AbortController();
  const answer = createWxFetch(request, 10)('https://example.com', { body: '{}', signal });
  const failure = createWxFetch(request, 10)('https://example.com', { body: '{}', signal }).catch(
    (error: Error) => error.message,
  );
  requests[0]?.success('[1]');
  requests[1]?.fail('request:fail');
  expect(await (await answer).json()).toEqual([1]);
  expect(await failure).toBe('request:fail');
  abort();
  await sleep(20);
  expect(requests.map(({ aborts }) => aborts)).toEqual([0, 0]);
});

it('a second abort, and an answer after the abort, change nothing', async () => {
  const { requests, request } = createNetwork();
  const { signal, abort } = new AbortController();
  const answer = createWxFetch(request, 1000)('https://example.com', { body: '{}', signal });
  abort('enough');
  abort('again');
  requests[0]?.success('[1]');
  await expect(answer).rejects.toMatchObject({ kind: 'aborted' });
  expect(requests[0]?.aborts).toBe(1);
  expect(signal.reason).toBe('enough');
});

it.each([
  ['request:fail timeout', 'timeout'],
  ['request:fail 请求超时。', 'timeout'],
  ['request:fail errcode:-118 cronet_error_code:-118 error_msg:net::ERR_CONNECTION_TIMED_OUT', 'timeout'],
  ['request:fail', 'timeout', 5],
  ['request:fail url not in domain list', 'set-up'],
  ['request:fail interrupted', 'network'],
])('the platform’s own words are understood: %s is %s', async (errMsg, kind, errno?: number) => {
  const { requests, request } = createNetwork();
  const answer = createWxFetch(request, 1000)('https://example.com', { body: '{}' });
  requests[0]?.fail(errMsg, errno);
  await expect(answer).rejects.toMatchObject({ kind });
});
