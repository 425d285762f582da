import { guardedStore } from './guarded-store.ts';
import { mysqlUrl } from './mysql/url.ts';
import { type Store, StoreError, type StoreOptions } from './store.ts';

/**
 * Loads the driver and opens nothing yet: a database that is away shows at the first call. Rejects with a StoreError
 * on an invalid URL.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { databaseUrl } = options;
  // A driver takes a fifth of the start: the other dialect's is not loaded.
  if (databaseUrl.startsWith('mysql:')) {
    const { openMysqlStore } = await import('./mysql/store.ts');
    return guardedStore(openMysqlStore(options));
  }
  if (databaseUrl.startsWith('file:')) {
    const { openSqliteStore } = await import('./sqlite/store.ts');
    return guardedStore(openSqliteStore(options));
  }
  throw new StoreError('unexpected', 'DATABASE_URL_INVALID', undefined, 'it must begin with file: or mysql:');
}

/** Where the database is, in words for the operator: a host and a port, or a file, and nothing of the user. */
export function placeOf(databaseUrl: string): string {
  const url = mysqlUrl(databaseUrl);
  return url ? `${url.hostname}:${url.port || '3306'}` : databaseUrl.replace(/^file:/, '');
}
