import { refuseOddOpenIds } from './open-ids.ts';
import { type Store, StoreError } from './store.ts';

export interface StoreOptions {
  /** `file:<path>` or `mysql://user:password@host:3306/database`, the latter with `?ssl=true` for TLS. */
  databaseUrl: string;
  /** For each call of the store, waiting for a connection included. */
  timeoutMs: number;
  /** Connections, with MySQL; SQLite has one. */
  poolSize: number;
}

/**
 * Loads the driver and opens nothing yet: a database that is away shows at the first call. Rejects with a StoreError on an
 * URL of no use.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { databaseUrl } = options;
  // A driver takes a fifth of the start: the other dialect's is not loaded.
  if (databaseUrl.startsWith('mysql:')) {
    const { openMysqlStore } = await import('./mysql/store.ts');
    return refuseOddOpenIds(openMysqlStore(options));
  }
  if (databaseUrl.startsWith('file:')) {
    const { openSqliteStore } = await import('./sqlite/store.ts');
    return refuseOddOpenIds(openSqliteStore(options));
  }
  throw new StoreError('unexpected', 'DATABASE_URL_INVALID', undefined, 'it must begin with file: or mysql:');
}
