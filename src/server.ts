import { setTimeout as sleep } from 'node:timers/promises';
import { createApp } from './app.ts';
import { createSessionKeys } from './auth/session-keys.ts';
import { createTokens } from './auth/tokens.ts';
import type { Config } from './config.ts';
import { loadOrCreateKeyring } from './keyring-file.ts';
import { listen } from './listen.ts';
import { createLog, describeError, type Log } from './log.ts';
import { openStore } from './store/open.ts';
import { StoreError, type Store } from './store/store.ts';
import { createWechat } from './wechat/exchange.ts';

export interface Server {
  url: string;
  store: Store;
  /** Says 503 on /readyz, then refuses new connections, answers what is in flight, and closes everything. */
  close(): Promise<void>;
}

interface ServerOptions {
  log?: Log;
  now?: () => number;
  /** How long /readyz says 503 before connections are refused, for the balancer to see it. */
  drainMs?: number;
}

const migrationRetryMs = 1000;

/**
 * Puts the parts together and listens. A database that is away does not stop the start: the server says so on
 * /readyz and serves once it is there. Rejects when the tables cannot be brought up to date for another reason.
 */
export async function startServer(config: Config, options: ServerOptions = {}): Promise<Server> {
  const { settings, secrets } = config;
  const { log = createLog(settings.logLevel), now = Date.now, drainMs = 0 } = options;
  const keyring = secrets.keyring ?? (await loadOrCreateKeyring(`${secrets.databaseUrl.slice('file:'.length)}.key`));
  const store = openStore({
    databaseUrl: secrets.databaseUrl,
    timeoutMs: settings.databaseTimeoutMs,
    poolSize: settings.databasePoolSize,
  });
  const wechat = createWechat({
    baseUrl: settings.wechatBaseUrl,
    appSecrets: secrets.appSecrets,
    defaultApp: settings.defaultApp,
    timeoutMs: settings.wechatTimeoutMs,
    now,
  });

  let migrated = !settings.migrateOnStart;
  let stopping = false;
  const app = createApp({
    store,
    wechat,
    tokens: createTokens(store),
    sessionKeys: createSessionKeys(keyring),
    watermarkMaxAgeSeconds: settings.watermarkMaxAgeSeconds,
    log,
    now,
    isServing: () => migrated && !stopping,
    trustsProxy: settings.trustProxyHops > 0,
  });

  const { firstTry, listening } = await start().catch(async (error: unknown) => {
    await Promise.all([wechat.close(), store.close()]);
    throw error;
  });
  const migrating = firstTry === 'later' ? migrateWhenPossible() : Promise.resolve();

  return {
    url: listening.url,
    store,
    async close() {
      if (stopping) return;
      stopping = true;
      await sleep(drainMs);
      await listening.close();
      await migrating;
      await wechat.close();
      await store.close();
      log.info({}, 'stopped');
    },
  };

  async function start() {
    const firstTry = migrated ? 'done' : await tryToMigrate();
    const listening = await listen(app, { host: settings.host, port: settings.port });
    log.info({ url: listening.url }, 'listening');
    return { firstTry, listening };
  }

  async function tryToMigrate(): Promise<'done' | 'later'> {
    try {
      await store.migrate();
      migrated = true;
      return 'done';
    } catch (error) {
      if (!(error instanceof StoreError && error.kind === 'unavailable')) throw error;
      log.warn({ ...describeError(error) }, 'the database is away: trying again');
      return 'later';
    }
  }

  async function migrateWhenPossible(): Promise<void> {
    while (!stopping && !migrated) {
      await sleep(migrationRetryMs);
      await tryToMigrate().catch((error: unknown) => {
        log.error(describeError(error), 'the tables could not be brought up to date: trying again');
      });
    }
  }
}
