import { openMysqlStore } from './mysql/store.ts';
import { refuseOddOpenIds } from './open-ids.ts';
import { openSqliteStore } from './sqlite/store.ts';
import { type Store, StoreError } from './store.ts';

export interface StoreOptions {
  /** `file:<path>` or `mysql://user:password@host:3306/database`, the latter with `?ssl=true` for TLS. */
  databaseUrl: string;
  /** For each call of the store, waiting for a connection included. */
  timeoutMs: number;
  /** Connections, with MySQL; SQLite has one. */
  poolSize: number;
}

/** Opens nothing yet: a database that is away shows at the first call. Throws a StoreError on an URL of no use. */
export function openStore(options: StoreOptions): Store {
  const { databaseUrl } = options;
  if (databaseUrl.startsWith('mysql:')) return refuseOddOpenIds(openMysqlStore(options));
  if (databaseUrl.startsWith('file:')) return refuseOddOpenIds(openSqliteStore(options));
  throw new StoreError('unexpected', 'DATABASE_URL_INVALID', undefined, 'it must begin with file: or mysql:');
}
