import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTRPCClient, httpBatchLink, httpLink, TRPCClientError } from '@trpc/client';
import { loadConfig } from '../../src/config.ts';
import { createLog } from '../../src/operations/log.ts';
import type { AppRouter } from '../../src/router.ts';
import { type ServerOptions, startServer } from '../../src/server.ts';
import { devApp, startStandin, type StandinOptions } from '../../packages/standin/src/server.ts';
import vectors from '../vectors.json' with { type: 'json' };

interface BackendOptions {
  /** An SQLite file of its own when left out. */
  databaseUrl?: string;
  env?: Readonly<Record<string, string>>;
  standin?: StandinOptions;
  router?: NonNullable<ServerOptions['router']>;
  app?: NonNullable<ServerOptions['app']>;
  onPush?: NonNullable<ServerOptions['onPush']>;
  onUserDeleted?: NonNullable<ServerOptions['onUserDeleted']>;
  sweepIntervalMs?: number;
}

export type Backend = Awaited<ReturnType<typeof startBackend>>;

/** The real thing: the server over HTTP on a real database, and the stand-in for WeChat, with one clock that tests move. */
export async function startBackend({
  databaseUrl,
  env = {},
  standin: standinOptions = {},
  ...options
}: BackendOptions = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'guoke-test-'));
  const clock = { now: vectors.clock * 1000 };
  const now = () => clock.now;
  const standin = await startStandin({ now, ...standinOptions });
  const environment = {
    WX_APPID: devApp.appId,
    WX_SECRET: devApp.secret,
    WX_API_BASE_URL: standin.url,
    DATABASE_URL: databaseUrl ?? `file:${join(directory, 'test.db')}`,
    SESSION_KEY_SECRETS: `test:${Buffer.alloc(32, 5).toString('base64')}`,
    PORT: '0',
    // Of this the tests of the limit speak; others call as often as they like.
    RATE_LIMIT_PER_MINUTE: '0',
    USER_WRITES_PER_MINUTE: '0',
    LOG_LEVEL: 'trace',
    ...env,
  };
  const logged: string[] = [];
  const log = createLog('trace', { write: (line) => logged.push(line) });
  const server = await startServer(loadConfig(environment), { log, now, ...options });
  return {
    url: server.url,
    metricsUrl: server.metricsUrl,
    store: server.store,
    standin,
    clock,
    environment,
    /** Every line of the log so far. */
    logged,
    client: (token?: string) => clientOf(server.url, token),
    batching: (token?: string) => batchingClientOf(server.url, token),
    stopServer: () => server.close(),
    async close() {
      await server.close();
      await standin.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

const bearer = (token: string | undefined) => (token === undefined ? {} : { authorization: `Bearer ${token}` });

/** A typed client that sends each call on its own. */
export function clientOf(url: string, token?: string) {
  return createTRPCClient<AppRouter>({ links: [httpLink({ url: `${url}/trpc`, headers: bearer(token) })] });
}

function batchingClientOf(url: string, token?: string) {
  return createTRPCClient<AppRouter>({
    links: [httpBatchLink({ url: `${url}/trpc`, headers: bearer(token), methodOverride: 'POST' })],
  });
}

/** A code and a profile as the phone sends them, in the order of the tutorial: the profile first, then `wx.login`. */
export function loginInputOf(
  { standin }: Pick<Backend, 'standin'>,
  user: string,
  profile: Record<string, unknown> = {},
) {
  const { rawData, signature, encryptedData, iv } = standin.phone.profile({ user, profile });
  return { code: standin.phone.login({ user }).code, rawData, signature, encryptedData, iv };
}

/** How a call failed: `error.data`, null when it did not fail. */
export async function failureOf(call: Promise<unknown>) {
  try {
    await call;
    return null;
  } catch (error) {
    if (!(error instanceof TRPCClientError)) throw error;
    return (error as TRPCClientError<AppRouter>).data ?? { message: error.message };
  }
}
