import { setTimeout as sleep } from 'node:timers/promises';
import { type Store, StoreError } from '../store/store.ts';
import { describeError, type Log } from './log.ts';

/** Brings the tables up to date when a server starts, however long the database takes. */
export interface Migration {
  /** Whether the tables are there. */
  isDone(): boolean;
  /** The code of the last failure while they are not. */
  reason(): string | undefined;
  /**
   * Resolves after the first try, or when it is given up; further tries go on in the background while the database is away.
   * Rejects when the database refuses the migration: another try would be refused too.
   */
  start(): Promise<void>;
  /** Ends the tries, and waits a little for the one that runs: the next start continues what is cut off. */
  close(): Promise<void>;
}

interface MigrationOptions {
  store: Pick<Store, 'migrate' | 'verifyTables'>;
  log: Log;
  /** Where the database is, for the log: a host and a port, or a file. */
  database: string;
  /** False when migrations are run apart from the server, which then waits for the tables. */
  isOurs: boolean;
}

const retryMs = 1000;
const graceMs = 2000;
/** How often the log says again that a database is still away. */
const tellAgainMs = 60_000;

export function createMigration({ store, log, database, isOurs }: MigrationOptions): Migration {
  const stop = new AbortController();
  const stopped = new Promise<void>((resolve) => stop.signal.addEventListener('abort', () => resolve()));
  let isDone = false;
  let trying = Promise.resolve();
  let told: { code: string; at: number } | undefined;

  return {
    isDone: () => isDone,
    reason: () => (isDone ? undefined : told?.code),
    start() {
      const first = stop.signal.aborted ? Promise.resolve() : attempt();
      trying = first.then(again, () => {});
      return Promise.race([first, stopped]);
    },
    async close() {
      stop.abort();
      await Promise.race([trying, sleep(graceMs, undefined, { ref: false })]);
    },
  };

  async function attempt(): Promise<void> {
    try {
      await (isOurs ? store.migrate() : store.verifyTables());
    } catch (error) {
      if (!(error instanceof StoreError && error.kind === 'unavailable')) throw error;
      tell(error);
      return;
    }
    isDone = true;
    if (told) log.info({}, `the database at ${database} is there`);
    log.info({}, 'ready');
  }

  /** Once for each kind of failure, and then rarely: a line a second would hide all others. */
  function tell({ code, message }: StoreError): void {
    const now = performance.now();
    if (told?.code === code && now - told.at < tellAgainMs) return;
    told = { code, at: now };
    log.warn({ code, advice: message }, `no service yet: the database at ${database} is not ready, trying each second`);
  }

  async function again(): Promise<void> {
    while (!isDone) {
      await sleep(retryMs, undefined, { signal: stop.signal }).catch(() => {});
      if (stop.signal.aborted) return;
      await attempt().catch((error: unknown) => {
        log.error(describeError(error), 'the migration failed: trying again');
      });
    }
  }
}
