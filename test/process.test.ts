import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { connect, createServer } from 'node:net';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { devApp, startStandin, type Standin } from '../packages/standin/src/server.ts';
import { clientOf, failureOf } from './support/backend.ts';
import { databases, hasMysql, mysql } from './support/databases.ts';
import { explainStartFailure } from '../src/operations/start-failure.ts';
import { explained } from '../src/store/sqlite/file.ts';
import { createDatabase, findMariaDb, startMariaDb } from './support/mariadb.ts';
import { holdMigrationLease } from './support/migration-lease.ts';
import { runCommand, startServerProcess, type Command } from './support/process.ts';

let standin: Standin;
const started: Command[] = [];
beforeAll(async () => {
  standin = await startStandin();
});
afterAll(async () => {
  for (const command of started) command.kill();
  await standin.close();
});

const environment = (databaseUrl: string) => ({
  WX_APPID: devApp.appId,
  WX_SECRET: devApp.secret,
  WX_API_BASE_URL: standin.url,
  SESSION_KEY_SECRETS: `test:${Buffer.alloc(32, 5).toString('base64')}`,
  DATABASE_URL: databaseUrl,
  PORT: '0',
});
const newFile = () => `file:${inject('scratch')}/${crypto.randomUUID()}/guoke.db`;
const codeOf = (user: string) => standin.phone.login({ user }).code;

async function start(databaseUrl: string, env: Record<string, string> = {}, { untilReady = true } = {}) {
  const server = await startServerProcess({ ...environment(databaseUrl), ...env }, { untilReady });
  started.push(server);
  return server;
}

/** A call on a connection that is kept alive. */
function readyz(url: string, agent?: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = request(`${url}/readyz`, { agent }, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(answer.statusCode ?? 0));
    });
    outgoing.on('error', reject).end();
  });
}

async function until(check: () => Promise<boolean>, ms: number): Promise<boolean> {
  for (const deadline = performance.now() + ms; performance.now() < deadline; await sleep(20)) {
    if (await check().catch(() => false)) return true;
  }
  return false;
}

describe.each(databases)('SIGTERM with logins in flight on $name', ({ createUrl }) => {
  test('a stopping server answers all of them, says 503 on /readyz first, then refuses connections, and exits 0', async () => {
    const server = await start(await createUrl(), { WX_TIMEOUT_MS: '20000' });
    const logins = Array.from({ length: 20 }, (_, i) => {
      const code = codeOf(`drained${i}`);
      standin.phone.fault({ code, fault: { kind: 'delay', ms: 4000 } });
      return failureOf(clientOf(server.url).auth.checkUser.mutate({ code }));
    });
    const agent = new Agent({ keepAlive: true });
    await readyz(server.url, agent);
    const silent = connect(Number(new URL(server.url).port), '127.0.0.1').on('error', () => {});
    const half = connect(Number(new URL(server.url).port), '127.0.0.1').on('error', () => {});
    half.write('POST /trpc/auth.checkUser HTTP/1.1\r\nhost: x\r\n');
    await sleep(300);

    const stoppedAt = performance.now();
    server.kill('SIGTERM');
    expect(await until(async () => (await readyz(server.url, agent)) === 503, 5000)).toBe(true);
    const refused = () =>
      readyz(server.url).then(
        () => false,
        (error: NodeJS.ErrnoException) => error.code === 'ECONNREFUSED',
      );
    expect(await until(refused, 5000)).toBe(true);
    // Refused, and still answering.
    expect(performance.now() - stoppedAt).toBeLessThan(3600);
    expect(await Promise.all(logins)).toEqual(logins.map(() => null));
    expect(await server.exit).toEqual({ code: 0, signal: null });
    expect(performance.now() - stoppedAt).toBeLessThan(12_000);
    expect(server.stdout.at(-1)).toContain('"msg":"stopped"');
    expect(server.stderr).toEqual([]);
    silent.destroy();
    half.destroy();
    agent.destroy();
  });
});

test.concurrent('a second SIGTERM ends the process at once', async () => {
  const server = await start(newFile(), { WX_TIMEOUT_MS: '60000' });
  const code = codeOf('hung');
  standin.phone.fault({ code, fault: { kind: 'hang' } });
  void failureOf(clientOf(server.url).auth.checkUser.mutate({ code })).catch(() => {});
  await sleep(200);
  server.kill('SIGTERM');
  await server.line(/stopping on SIGTERM/);
  const at = performance.now();
  server.kill('SIGTERM');
  expect((await server.exit).code).toBe(1);
  expect(performance.now() - at).toBeLessThan(10_000);
});

test.concurrent('a body that never ends delays the stop by 15 s at most', async () => {
  const server = await start(newFile());
  const stalled = connect(Number(new URL(server.url).port), '127.0.0.1').on('error', () => {});
  stalled.write(
    'POST /trpc/auth.checkUser HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{',
  );
  await sleep(200);
  const at = performance.now();
  server.kill('SIGTERM');
  expect(await server.exit).toEqual({ code: 0, signal: null });
  expect(performance.now() - at).toBeLessThan(15_000);
  stalled.destroy();
});

describe.runIf(hasMysql && findMariaDb())('a database that is away at the start', () => {
  test('the server starts: /readyz and calls say 503, and it serves soon after the database is back', async () => {
    const mariadb = await startMariaDb(findMariaDb() ?? '');
    const databaseUrl = await createDatabase(mariadb.url);
    await mariadb.kill();
    const server = await start(databaseUrl, {}, { untilReady: false });
    expect(await readyz(server.url)).toBe(503);
    const login = () => failureOf(clientOf(server.url).auth.checkUser.mutate({ code: codeOf('early') }));
    expect(await login()).toMatchObject({ reason: 'DATABASE_UNAVAILABLE', httpStatus: 503, retry: 'later' });
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);

    await mariadb.restart();
    const at = performance.now();
    // A call is never answered with an internal error, not even before the tables exist.
    const reasons = new Set<string>();
    const serves = async () => {
      const failure = await login();
      if (failure && 'reason' in failure) reasons.add(failure.reason);
      return failure === null && (await readyz(server.url)) === 200;
    };
    expect(await until(serves, 15_000)).toBe(true);
    console.log(`served ${Math.round(performance.now() - at)} ms after the database came`);
    expect([...reasons].filter((reason) => reason !== 'DATABASE_UNAVAILABLE')).toEqual([]);
    server.kill('SIGTERM');
    expect((await server.exit).code).toBe(0);
    await mariadb.remove();
  });

  test('/readyz says 503 at once where the database accepts connections and never answers', async () => {
    const blackHole = createServer((socket) => socket.resume().on('error', () => {})).listen(0, '127.0.0.1');
    await once(blackHole, 'listening');
    const address = blackHole.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const server = await start(`mysql://root:hush@127.0.0.1:${port}/guoke`, {}, { untilReady: false });
    expect(await readyz(server.url)).toBe(503);
    expect([...server.stdout, ...server.stderr].join()).not.toContain('hush');
    server.kill('SIGKILL');
    blackHole.close();
  });
});

test.runIf(hasMysql)('a server that waits for the database and gets SIGTERM drains as usual, and exits 0', async () => {
  const databaseUrl = await mysql.createUrl();
  const release = await holdMigrationLease(databaseUrl);
  const server = await start(databaseUrl, {}, { untilReady: false });
  expect(await readyz(server.url)).toBe(503);
  const at = performance.now();
  server.kill('SIGTERM');
  await server.line(/stopping on SIGTERM/);
  expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
  expect(await server.exit).toEqual({ code: 0, signal: null });
  expect(performance.now() - at).toBeLessThan(12_000);
  expect(server.stdout.at(-1)).toContain('"msg":"stopped"');
  expect(server.stderr).toEqual([]);
  await release();
});

describe('a start that fails says why in a few words, and exits 1', () => {
  const outcome = async (env: Record<string, string>) => {
    const command = runCommand('src/main.ts', env);
    started.push(command);
    const { code } = await command.exit;
    return { code, said: command.stderr.join('\n') };
  };

  test('a port that is taken, for calls or for metrics, is named', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const address = taken.address();
    const port = String(typeof address === 'object' && address ? address.port : 0);
    const said = `The server did not start: something listens on 127.0.0.1:${port} already. Set PORT or METRICS_PORT to a free port.`;
    const [calls, metrics] = await Promise.all([
      outcome({ ...environment(newFile()), PORT: port }),
      outcome({ ...environment(newFile()), METRICS_PORT: port }),
    ]);
    expect(calls).toEqual({ code: 1, said });
    expect(metrics).toEqual({ code: 1, said });
    taken.close();
  });

  test.each(['', `k1:${Buffer.alloc(32, 7).toString('base64')}`])(
    'a database file that cannot be opened is named with what to do, with SESSION_KEY_SECRETS "%s"',
    async (SESSION_KEY_SECRETS) => {
      const folder = dirname(newFile().slice('file:'.length));
      await mkdir(`${folder}/folder.db`, { recursive: true });
      await writeFile(`${folder}/notes.txt`, 'This is a text, and no database at all.');
      const said = async (file: string) => {
        const ended = await outcome({ ...environment(`file:${file}`), SESSION_KEY_SECRETS });
        expect(ended.code).toBe(1);
        return ended.said;
      };
      expect(await said(`${folder}/folder.db`)).toBe(
        `The server did not start: ${folder}/folder.db is a folder: let DATABASE_URL name a file in it, such as file:${folder}/folder.db/guoke.db (EISDIR).`,
      );
      expect(await said(`${folder}/notes.txt`)).toMatch(/notes\.txt is not a SQLite database: move it away/);
      expect(await said(`${folder}/notes.txt/guoke.db`)).toMatch(
        /notes\.txt is not a folder: let DATABASE_URL name a file/,
      );
    },
  );

  test('a folder or a file of another user is named, and a temporary file is not', async () => {
    const folder = dirname(newFile().slice('file:'.length));
    await mkdir(folder, { recursive: true });
    await writeFile(`${folder}/secret.db`, 'SQLite format 3\0');
    // Root may write everywhere: so the words are asked for the errors that another user gets.
    const refusal = (code: string) => explained(Object.assign(new Error(), { code }), `${folder}/secret.db`);
    for (const code of ['EACCES', 'EPERM', 'EROFS']) {
      const message = explainStartFailure(refusal(code));
      expect(message).toContain(folder);
      expect(message.split('\n')).toHaveLength(1);
      // A folder that cannot be made: the one above it is to be mended.
      const below = explained(Object.assign(new Error(), { code }), `${folder}/new/newer/secret.db`);
      expect(explainStartFailure(below)).toContain(` ${folder} `);
    }
  });

  test.each([
    ['203.0.113.9', /^The server did not start: 203\.0\.113\.9 is not an address of this machine\. Set HOST to /],
    ['no-such-name.invalid', /^The server did not start: HOST is a name that cannot be resolved\. Set it to /],
  ])('a HOST that cannot be listened on, %s, is named with what to set', async (host, sentence) => {
    const { code, said } = await outcome({ ...environment(newFile()), HOST: host });
    expect(code).toBe(1);
    expect(said).toMatch(sentence);
    expect(said.trim().split('\n')).toHaveLength(1);
  });

  test('a database that is away is named by host and port, once and without stack frames', async () => {
    const server = await start('mysql://guoke:hush@127.0.0.1:1/guoke', {}, { untilReady: false });
    await sleep(4000);
    const lines = server.stdout.filter((line) => line.includes('127.0.0.1:1'));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/the database at 127\.0\.0\.1:1 is not ready/);
    expect(server.stdout.join('\n')).not.toMatch(/frames|hush/);
    server.kill('SIGKILL');
  });

  test('an incomplete configuration is named, and so is a file of secrets without a secret', async () => {
    const databaseUrl = newFile();
    await mkdir(dirname(databaseUrl.slice('file:'.length)), { recursive: true });
    await writeFile(`${databaseUrl.slice('file:'.length)}.key`, 'c2VjcmV0\n');
    const [incomplete, file] = await Promise.all([
      outcome({ WX_APPID: 'wx1', DATABASE_URL: 'mysql://root:hush@[broken', LOG_LEVEL: 'loud' }),
      outcome({ ...environment(databaseUrl), SESSION_KEY_SECRETS: '' }),
    ]);
    expect([incomplete.code, file.code]).toEqual([1, 1]);
    expect(incomplete.said).toMatch(/^The configuration is wrong or not complete:\n/);
    expect(incomplete.said).toContain('WX_SECRET is missing');
    expect(incomplete.said).not.toContain('hush');
    expect(file.said).toMatch(/guoke\.db\.key does not hold a secret/);
    expect(file.said).not.toContain('c2VjcmV0');
  });
});
