import { spawn, type StdioOptions } from 'node:child_process';
import { openSync } from 'node:fs';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { devApp, startStandin, type Standin } from '../../packages/standin/src/server.ts';
import { createLogOutput } from '../../src/operations/log-output.ts';
import { nodeArguments } from '../support/compiled.ts';
import { freePort } from '../support/database-server.ts';
import { sqlite } from '../support/databases.ts';

let standin: Standin;
beforeAll(async () => {
  standin = await startStandin();
});
afterAll(() => standin.close());

const root = path.resolve(import.meta.dirname, '../..');

/** A server whose log goes there, and a login that it answers. */
async function start(stdio: StdioOptions) {
  const [port, metricsPort] = [await freePort(), await freePort()];
  const env = {
    PATH: process.env.PATH,
    WX_APPID: devApp.appId,
    WX_SECRET: devApp.secret,
    WX_API_BASE_URL: standin.url,
    DATABASE_URL: await sqlite.createUrl(),
    RATE_LIMIT_PER_MINUTE: '0',
    PORT: String(port),
    METRICS_PORT: String(metricsPort),
  };
  const child = spawn(process.execPath, nodeArguments('src/main.ts'), { cwd: root, env, stdio });
  onTestFinished(() => void child.kill('SIGKILL'));
  const url = `http://127.0.0.1:${port}`;
  await expect
    .poll(
      () =>
        fetch(`${url}/readyz`).then(
          ({ status }) => status,
          () => 0,
        ),
      { timeout: 30_000 },
    )
    .toBe(200);
  const login = async () => {
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ code: standin.phone.login({ user: 'a' }).code });
    return (await fetch(`${url}/trpc/auth.checkUser`, { method: 'POST', headers, body })).status;
  };
  const dropped = async () => {
    const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
    return Number(/^guoke_log_lines_dropped_total (\d+)/m.exec(text)?.[1]);
  };
  return { child, login, dropped };
}

describe('a server whose log cannot be written', () => {
  test('a server with a full disk serves, and counts the lines', async () => {
    const { login, dropped } = await start(['ignore', openSync('/dev/full', 'w'), 'inherit']);
    expect(await login()).toBe(200);
    await expect.poll(dropped).toBeGreaterThan(0);
  });

  test('a server whose log’s reader is gone serves, and counts the lines', async () => {
    const { child, login, dropped } = await start(['ignore', 'pipe', 'inherit']);
    child.stdout?.destroy();
    for (let index = 0; index < 3; index++) expect(await login()).toBe(200);
    await expect.poll(async () => (await login()) === 200 && (await dropped())).toBeGreaterThan(0);
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
  });
});

test('a reader that does not read holds a bounded part of the log; once it reads, the log says what is missing', async () => {
  const pipe = new PassThrough({ highWaterMark: 1024 });
  const output = createLogOutput(pipe);
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const line = `${JSON.stringify({ msg: 'x'.repeat(1000) })}\n`;
  for (let index = 0; index < 5000; index++) {
    output.write(line);
    if (index % 100 === 0) await turn();
  }
  await turn();
  expect(output.dropped()).toBeGreaterThan(3000);
  expect(pipe.writableLength).toBeLessThan(2 * 1024 * 1024);
  let read = '';
  pipe.on('data', (chunk) => (read += String(chunk)));
  await expect.poll(() => pipe.writableLength).toBe(0);
  output.write(line);
  await turn();
  await expect.poll(() => read).toContain(`"count":${output.dropped()},"msg":"log lines were dropped"`);
});
