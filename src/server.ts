import { setTimeout as sleep } from 'node:timers/promises';
import type { AnyTRPCRouter } from '@trpc/server';
import { createApp } from './app.ts';
import { createSessionKeys } from './auth/session-keys.ts';
import type { Config } from './config.ts';
import { loadOrCreateKeyring } from './operations/keyring-file.ts';
import { createContexts } from './http/contexts.ts';
import { listen, type Listening } from './http/listen.ts';
import { createRateLimit } from './http/rate-limit.ts';
import { createSingleCalls } from './http/single-calls.ts';
import { createLog, describeError, type Log } from './operations/log.ts';
import { createMetrics } from './operations/metrics.ts';
import { appRouter } from './router.ts';
import { openStore } from './store/open.ts';
import { StoreError, type Store } from './store/store.ts';
import { startSweeper } from './operations/sweeper.ts';
import { createAvatarSweep } from './user/avatars.ts';
import { createPhoneNumbers } from './user/phone.ts';
import { createPictures } from './user/pictures.ts';
import { createWechat } from './wechat/exchange.ts';
import { createGate } from './wechat/gate.ts';
import { createPhoneCodes } from './wechat/phone.ts';

export interface Server {
  url: string;
  /** Of the metrics, on a port of their own; null when they are off. */
  metricsUrl: string | null;
  store: Store;
  /** Says 503 on /readyz, then refuses new connections, answers what is in flight, and closes everything. */
  close(): Promise<void>;
}

export interface ServerOptions {
  log?: Log;
  now?: () => number;
  /** How long /readyz says 503 before connections are refused, for the balancer to see it. */
  drainMs?: number;
  /** The procedures, where there are more of them than ours: see docs/extending.md. */
  router?: AnyTRPCRouter;
}

const migrationRetryMs = 1000;
/** How long a stop waits for a migration under way; the next start continues one that was cut off. */
const migrationGraceMs = 2000;
/** Clocks of instances differ: what has expired by one's is deleted when it has by everybody's. */
const sweepGraceMs = 60 * 60 * 1000;

/**
 * Puts the parts together and listens. A database that is away does not stop the start: the server says so on
 * /readyz and serves once it is there. Rejects when the tables cannot be brought up to date for another reason.
 */
export async function startServer(config: Config, options: ServerOptions = {}): Promise<Server> {
  const { settings, secrets } = config;
  const { log = createLog(settings.logLevel), now = Date.now, drainMs = 0, router = appRouter } = options;
  const keyring = secrets.keyring ?? (await loadOrCreateKeyring(`${secrets.databaseUrl.slice('file:'.length)}.key`));
  const store = openStore({
    databaseUrl: secrets.databaseUrl,
    timeoutMs: settings.databaseTimeoutMs,
    poolSize: settings.databasePoolSize,
  });
  const gate = createGate({ now });
  const wechat = createWechat({
    baseUrl: settings.wechatBaseUrl,
    appSecrets: secrets.appSecrets,
    defaultApp: settings.defaultApp,
    timeoutMs: settings.wechatTimeoutMs,
    now,
    gate,
  });
  const phoneCodes = createPhoneCodes({
    baseUrl: settings.wechatBaseUrl,
    appSecrets: secrets.appSecrets,
    store,
    keyring,
    timeoutMs: settings.wechatTimeoutMs,
    now,
    gate,
  });
  const metrics =
    settings.metricsPort === undefined
      ? null
      : createMetrics({ exchangesInFlight: () => gate.inFlight(), pool: () => store.poolStats() });

  let migrated = !settings.migrateOnStart;
  const stop = new AbortController();
  const deps = {
    store,
    wechat,
    sessionKeys: createSessionKeys(keyring),
    phoneCodes,
    phoneNumbers: createPhoneNumbers(keyring),
    pictures: createPictures(),
    watermarkMaxAgeSeconds: settings.watermarkMaxAgeSeconds,
    log,
    calls: metrics ?? { observe: () => {} },
    codeLimit: createRateLimit({ perMinute: settings.rateLimitPerMinute }),
    now,
    trustedProxies: settings.trustProxyHops,
    databaseTimeoutMs: settings.databaseTimeoutMs,
  };
  const app = createApp({ ...deps, router, isServing: () => migrated && !stop.signal.aborted });
  const shortcut = createSingleCalls({ router, contexts: createContexts(deps), log });

  const { listening, metricsListening } = await start().catch(async (error: unknown) => {
    await Promise.all([wechat.close(), phoneCodes.close(), store.close()]);
    throw error;
  });
  const migrating = migrateWhenPossible();
  const sweeper = startSweeper({
    sweeps: [
      (at, limit) => store.deleteExpiredSessions(at - sweepGraceMs, limit),
      createAvatarSweep(store, { graceMs: sweepGraceMs }),
    ],
    log,
    now,
  });
  let closing: Promise<void> | undefined;

  return {
    url: listening.url,
    metricsUrl: metricsListening?.url ?? null,
    store,
    close: () => (closing ??= close()),
  };

  /** Listens first: whoever asks /readyz meanwhile is to be told, however long the database takes. */
  async function start() {
    const { host, port, metricsPort } = settings;
    const listening = await listen(app, { host, port, shortcut });
    let metricsListening: Listening | null = null;
    try {
      if (metrics) metricsListening = await listen(metrics, { host, port: metricsPort ?? 0 });
      log.info({ url: listening.url }, 'listening');
      if (metricsListening) log.info({ url: metricsListening.url }, 'metrics are on');
      if (!migrated) await tryToMigrate();
      return { listening, metricsListening };
    } catch (error) {
      await Promise.all([listening.close(), metricsListening?.close()]);
      throw error;
    }
  }

  async function close(): Promise<void> {
    stop.abort();
    const swept = sweeper.close();
    await listening.close({ drainMs });
    await Promise.race([migrating, sleep(migrationGraceMs, undefined, { ref: false })]);
    await swept;
    await wechat.close();
    await phoneCodes.close();
    await store.close();
    await metricsListening?.close();
    log.info({}, 'stopped');
  }

  async function tryToMigrate(): Promise<void> {
    try {
      await store.migrate();
      migrated = true;
    } catch (error) {
      if (!(error instanceof StoreError && error.kind === 'unavailable')) throw error;
      log.warn(describeError(error), 'the database is away: trying again');
    }
  }

  async function migrateWhenPossible(): Promise<void> {
    while (!migrated && !stop.signal.aborted) {
      await sleep(migrationRetryMs, undefined, { signal: stop.signal }).catch(() => {});
      if (stop.signal.aborted) return;
      await tryToMigrate().catch((error: unknown) => {
        log.error(describeError(error), 'the tables could not be brought up to date: trying again');
      });
    }
  }
}
