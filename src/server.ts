import type { AnyTRPCRouter } from '@trpc/server';
import { type AppDeps, createApp } from './app.ts';
import type { Config } from './config.ts';
import { listen } from './http/listen.ts';
import type { OnPush } from './http/wechat-push.ts';
import { createRefusals } from './http/refusals.ts';
import { createLog, type Log } from './operations/log.ts';
import { createMigration } from './operations/migration.ts';
import { createParts } from './parts.ts';
import { appRouter } from './router.ts';
import { placeOf } from './store/open.ts';
import type { Store } from './store/store.ts';
import { startSweeper, type Sweep } from './operations/sweeper.ts';
import type { OnUserDeleted } from './user/erasure.ts';
import { createRetentionSweep } from './user/retention.ts';
import { createAvatarSweep } from './user/avatars.ts';

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
  /** Between two rounds of deleting what is out of use, give or take a half. */
  sweepIntervalMs?: number;
  /** The procedures; guoke's own by default. See docs/extending.md. */
  router?: AnyTRPCRouter;
  /** Adds middleware and routes of an owner's, before the calls: `app: (app) => app.use(cors())`. */
  app?: AppDeps['extend'];
  /** Deletes what your own tables hold of a user, before guoke deletes the user: see docs/extending.md. */
  onUserDeleted?: OnUserDeleted;
  /** Called with each push of WeChat that guoke does not handle itself: see docs/extending.md. */
  onPush?: OnPush;
  /** Called as soon as the server listens, while it may still wait for the database: from then on it can be closed. */
  onListening?: (server: Server) => void;
}

/** Clocks of instances differ: a row is deleted only once it has expired by the clock of every instance. */
const sweepGraceMs = 60 * 60 * 1000;

/**
 * Puts the parts together and listens. A database that is away does not stop the start: the server says so on
 * /readyz and serves once it is there. Rejects when the migration fails for another reason.
 */
export async function startServer(config: Config, options: ServerOptions = {}): Promise<Server> {
  const { settings } = config;
  const {
    log = createLog(settings.logLevel),
    now = Date.now,
    drainMs = 0,
    sweepIntervalMs = 5 * 60_000,
    router = appRouter,
    app: extend = () => {},
    onUserDeleted = () => {},
    onPush = () => {},
    onListening = () => {},
  } = options;
  const parts = await createParts(config, { log, now, onUserDeleted });
  const { store, metrics } = parts;
  const migration = createMigration({
    store,
    log,
    database: placeOf(config.secrets.databaseUrl),
    isOurs: settings.migrateOnStart,
  });
  let isStopping = false;
  const app = createApp({
    ...parts,
    router,
    extend,
    onPush,
    hasTables: () => migration.isDone(),
    whyNotReady: () => migration.reason(),
    isStopping: () => isStopping,
  });

  const { listening, metricsListening } = await listenToAll().catch(async (error: unknown) => {
    await parts.close();
    throw error;
  });
  const sweeper = startSweeper({
    sweeps: [
      createSessionSweep(store),
      createAvatarSweep(store, { graceMs: sweepGraceMs }),
      createRetentionSweep({ store, onUserDeleted, retentionDays: settings.retentionDays }),
    ],
    log,
    now,
    intervalMs: sweepIntervalMs,
  });
  let closing: Promise<void> | undefined;
  const server: Server = {
    url: listening.url,
    metricsUrl: metricsListening?.url ?? null,
    store,
    close: () => (closing ??= close(drainMs)),
  };
  onListening(server);
  try {
    await migration.start();
  } catch (error) {
    await (closing ??= close(0));
    throw error;
  }
  return server;

  /** Listens before the tables are there, so that /readyz is answered however long the database takes. */
  async function listenToAll() {
    const { host, port, metricsPort } = settings;
    const refusals = createRefusals(router);
    const listening = await listen(app, { host, port, refusals });
    try {
      const metricsListening = metrics && (await listen(metrics, { host, port: metricsPort ?? 0, refusals }));
      log.info({ url: listening.url }, 'listening');
      if (metricsListening) log.info({ url: metricsListening.url }, 'metrics are on');
      return { listening, metricsListening };
    } catch (error) {
      await listening.close();
      throw error;
    }
  }

  async function close(drainMs: number): Promise<void> {
    isStopping = true;
    const ended = Promise.all([migration.close(), sweeper.close()]);
    await listening.close({ drainMs });
    await ended;
    await parts.close();
    await metricsListening?.close();
    log.info({}, 'stopped');
  }
}

function createSessionSweep(store: Pick<Store, 'deleteExpiredSessions'>): Sweep {
  return async (now, limit) => {
    const deleted = await store.deleteExpiredSessions(now - sweepGraceMs, limit);
    return { deleted, hasMore: deleted === limit };
  };
}
