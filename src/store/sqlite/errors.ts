import { StoreError } from '../store.ts';

/** Results after which trying later may help; the rest are refusals. */
const retryableCodes: ReadonlySet<string> = new Set([
  'SQLITE_BUSY',
  'SQLITE_LOCKED',
  'SQLITE_NOMEM',
  'SQLITE_READONLY',
  'SQLITE_INTERRUPT',
  'SQLITE_IOERR',
  'SQLITE_FULL',
  'SQLITE_CANTOPEN',
  'SQLITE_PROTOCOL',
  'CLIENT_CLOSED',
]);

/** SQLite's primary result code, or the code of a file system error, of whatever wraps it. */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  return 'code' in error && typeof error.code === 'string' ? error.code : codeOf(error.cause);
}

/** Says what happened in a code only: no cause, no message, since Drizzle puts values into its own. */
export function toStoreError(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  if (lacksTables(error)) return new StoreError('unavailable', 'NO_SUCH_TABLE');
  const code = codeOf(error) ?? 'UNKNOWN';
  // The file system's: EACCES, ENOSPC, EROFS. Node's own mistakes begin with ERR_.
  const ofFileSystem = /^E(?!RR_)[A-Z]+$/.test(code);
  return new StoreError(retryableCodes.has(code) || ofFileSystem ? 'unavailable' : 'unexpected', code);
}

/** Calls come before the first migration is through; SQLite has no code for it. */
function lacksTables(error: unknown): boolean {
  return (
    error instanceof Error && (error.message.includes('SQLITE_ERROR: no such table: ') || lacksTables(error.cause))
  );
}
