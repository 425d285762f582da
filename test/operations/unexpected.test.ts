import { inject, expect, onTestFinished, test } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { createLog } from '../../src/operations/log.ts';
import { startServer } from '../../src/server.ts';
import { publicProcedure, router } from '../../src/trpc.ts';

/** A server with three ways to fail unexpectedly, and every line of its log. */
async function start({ unexpected }: { unexpected?: (error: unknown) => void } = {}) {
  const lines: string[] = [];
  const config = loadConfig({
    WX_APPID: 'wx0123456789abcdef',
    WX_SECRET: 'x',
    PORT: '0',
    DATABASE_URL: `file:${inject('scratch')}/${crypto.randomUUID()}/guoke.db`,
  });
  const server = await startServer(config, {
    log: { ...createLog('info', { write: (line) => void lines.push(line) }), ...(unexpected && { unexpected }) },
    router: router({
      fails: publicProcedure.query((): string => {
        throw new TypeError('a hush in a procedure');
      }),
      unwritable: publicProcedure.query(() => ({ toJSON: () => fail('a hush in an answer') })),
    }),
    app: (app) => app.get('/fails', () => fail('a hush in a route')),
  });
  onTestFinished(() => server.close());
  const answers: string[] = [];
  for (const path of ['/trpc/fails', '/trpc/unwritable', '/fails'])
    answers.push(await (await fetch(server.url + path)).text());
  return { answers: answers.join('\n'), log: lines.join('') };
}

function fail(message: string): Response {
  throw new Error(message);
}

test('an unexpected error is shown whole to a log that asks for it, and in no answer or log line', async () => {
  const shown: unknown[] = [];
  const { answers, log } = await start({ unexpected: (error) => shown.push(error) });
  expect(shown.map((error) => (error instanceof Error ? error.message : error))).toEqual([
    'a hush in a procedure',
    'a hush in an answer',
    'a hush in a route',
  ]);
  expect(answers + log).not.toContain('hush');
});

test('an unexpected error is not shown in the log of production', async () => {
  expect(Object.keys(createLog('trace'))).not.toContain('unexpected');
  const { answers, log } = await start();
  expect(answers + log).not.toContain('hush');
});

test('the log says "ready" once, after "listening"', async () => {
  const { log } = await start();
  const messages = log
    .split('\n')
    .filter(Boolean)
    .map((line) => (JSON.parse(line) as { msg: string }).msg);
  expect(messages.slice(0, 2)).toEqual(['listening', 'ready']);
  expect(messages.filter((message) => message === 'ready')).toHaveLength(1);
});
