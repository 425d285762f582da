import { randomBytes } from 'node:crypto';
import { devApp, startStandin, type Standin } from '../../packages/standin/src/server.ts';
import { startServerProcess, type ServerProcess } from '../../test/support/process.ts';
import { createCaller, type Caller } from './caller.ts';

export type Stage = Awaited<ReturnType<typeof openStage>>;

/** A stand-in here, and the environment in which server processes find it. Everything ends with `close`. */
export async function openStage(databaseUrl: string, more: Readonly<Record<string, string>> = {}) {
  const standin: Standin = await startStandin();
  const servers: ServerProcess[] = [];
  const callers: Caller[] = [];
  let users = 0;
  const env = {
    WX_APPID: devApp.appId,
    WX_SECRET: devApp.secret,
    WX_API_BASE_URL: standin.url,
    DATABASE_URL: databaseUrl,
    SESSION_KEY_SECRETS: `faults:${randomBytes(32).toString('base64')}`,
    RATE_LIMIT_PER_MINUTE: '0',
    USER_WRITES_PER_MINUTE: '0',
    LOG_LEVEL: 'info',
    ...more,
  };

  return {
    standin,
    env,
    /** Starts src/main.ts, and what calls it; waits until it serves, unless its database is away. */
    async start(also: Readonly<Record<string, string>> = {}, { untilReady = true } = {}) {
      const server = await startServerProcess({ ...env, ...also }, { untilReady });
      servers.push(server);
      const caller = createCaller(server.url);
      callers.push(caller);
      return { server, caller };
    },
    /** A code of one of 500 users, so that users come back. */
    code: () => standin.phone.login({ user: `user${users++ % 500}` }).code,
    exchanges: () => standin.phone.stats().paths['/sns/jscode2session']?.requests ?? 0,
    async close(): Promise<void> {
      await Promise.all(callers.map((caller) => caller.close()));
      for (const server of servers) server.kill();
      await Promise.all(servers.map(({ exit }) => exit));
      await standin.close();
    },
  };
}

/** The milliseconds until this holds, asked each `everyMs`; at most `withinMs`. */
export async function timeUntil(holds: () => Promise<boolean>, withinMs: number, everyMs = 20): Promise<number> {
  const start = performance.now();
  while (!(await holds()) && performance.now() - start < withinMs) {
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
  return performance.now() - start;
}
