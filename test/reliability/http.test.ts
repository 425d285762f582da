import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startBackend, type Backend } from '../support/backend.ts';

let backend: Backend;
beforeAll(async () => {
  backend = await startBackend();
});
afterAll(() => backend.close());

interface Call {
  body: string;
  agent: Agent;
  headers?: Record<string, string>;
  isChunked?: boolean;
}

/** The status of a call, and whether it went over a connection that was there already; rejects when that breaks. */
function post({
  body,
  agent,
  headers = {},
  isChunked = false,
}: Call): Promise<{ status: number; again: boolean; says: string }> {
  const { hostname, port } = new URL(backend.url);
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        hostname,
        port,
        agent,
        path: '/trpc/auth.checkUser',
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(!isChunked && { 'content-length': body.length }),
          ...headers,
        },
      },
      (answer) => {
        answer.resume();
        answer.on('end', () =>
          resolve({
            status: answer.statusCode ?? 0,
            again: outgoing.reusedSocket,
            says: answer.headers.connection ?? '',
          }),
        );
      },
    );
    outgoing.on('error', reject);
    outgoing.write(body);
    outgoing.end();
  });
}

/** The whole answer to these bytes, up to the end of the connection. */
function exchange(text: string): Promise<string> {
  const { hostname, port } = new URL(backend.url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(text));
    let answer = '';
    socket.on('data', (bytes: Buffer) => (answer += bytes.toString()));
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
  });
}

describe('a connection on which a body was too large', () => {
  // A proxy in front sends other people's calls over it.
  test('a connection whose body declared its length serves the next call', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    expect(await post({ agent, body: ' '.repeat(600_000) })).toMatchObject({ status: 413 });
    expect(await post({ agent, body: '{}' })).toMatchObject({ status: 400, again: true });
    agent.destroy();
  });

  test('a connection whose body was cut off is closed, and the answer says so', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    expect(await post({ agent, body: ' '.repeat(70_000), isChunked: true })).toMatchObject({
      status: 413,
      says: 'close',
    });
    expect(await post({ agent, body: '{}' })).toMatchObject({ status: 400, again: false });
    agent.destroy();
  });
});

describe('an answer before there is a request', () => {
  const lines = [
    ['an invalid host', 'POST /trpc/auth.login HTTP/1.1\r\nhost: a b\r\ncontent-length: 0\r\n\r\n'],
    ['an invalid path', 'POST /trpc/auth.\\login HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n'],
    ['a line that is not HTTP', 'NONSENSE\r\n\r\n'],
  ] as const;
  test.each(lines)('a connection with %s is answered with 400 in JSON, with no-store, and ends', async (_, text) => {
    const answer = await exchange(text);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    for (const header of [/content-type: application\/json/i, /cache-control: no-store/i, /connection: close/i]) {
      expect(answer).toMatch(header);
    }
    expect(answer).toMatch(/"data":\{"code":"BAD_REQUEST","httpStatus":400,.*"reason":"INPUT_INVALID"/);
  });
});

test('an unknown expectation is ignored: the answer is the same as without it', async () => {
  const agent = new Agent();
  expect(await post({ agent, body: '{}', headers: { expect: 'the unexpected' } })).toMatchObject({ status: 400 });
  agent.destroy();
});

test('a caller who hangs up in the midst of a body causes no error in the log', async () => {
  const { hostname, port } = new URL(backend.url);
  const head =
    'POST /trpc/auth.checkUser HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{"co';
  const before = backend.logged.length;
  await new Promise<void>((resolve) => {
    const socket = connect(Number(port), hostname, () => socket.write(head));
    socket.on('close', () => resolve());
    setTimeout(() => socket.destroy(), 100);
  });
  const lines = () => backend.logged.slice(before).map((line) => JSON.parse(line) as { level: number; msg: string });
  await expect.poll(() => lines().map(({ msg }) => msg)).toEqual(['request broken off']);
  expect(lines()[0]?.level).toBeLessThan(30);
});
