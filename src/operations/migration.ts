import { setTimeout as sleep } from 'node:timers/promises';
import { type Store, StoreError } from '../store/store.ts';
import { describeError, type Log } from './log.ts';

/** Brings the tables up to date when a server starts, however long the database takes. */
export interface Migration {
  /** Whether the tables are there. */
  isDone(): boolean;
  /**
   * Resolves after the first try, or when it is given up; further tries go on in the background while the database is away.
   * Rejects when the database refuses the migration: another try would be refused too.
   */
  start(): Promise<void>;
  /** Ends the tries, and waits a little for the one that runs: the next start continues what is cut off. */
  close(): Promise<void>;
}

interface MigrationOptions {
  store: Pick<Store, 'migrate'>;
  log: Log;
  /** False when migrations are run apart from the server. */
  isOurs: boolean;
}

const retryMs = 1000;
const graceMs = 2000;

export function createMigration({ store, log, isOurs }: MigrationOptions): Migration {
  const stop = new AbortController();
  const stopped = new Promise<void>((resolve) => stop.signal.addEventListener('abort', () => resolve()));
  let isDone = !isOurs;
  let trying = Promise.resolve();

  return {
    isDone: () => isDone,
    start() {
      const first = isDone || stop.signal.aborted ? Promise.resolve() : attempt();
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
      await store.migrate();
      isDone = true;
    } catch (error) {
      if (!(error instanceof StoreError && error.kind === 'unavailable')) throw error;
      log.warn(describeError(error), 'the database is away: trying again');
    }
  }

  async function again(): Promise<void> {
    while (!isDone) {
      await sleep(retryMs, undefined, { signal: stop.signal }).catch(() => {});
      if (stop.signal.aborted) return;
      await attempt().catch((error: unknown) => {
        log.error(describeError(error), 'the tables could not be brought up to date: trying again');
      });
    }
  }
}
