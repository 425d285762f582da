import { StoreError } from '../store.ts';

/** Server errors after which trying later may help; the rest are refusals. Names as in MySQL's and MariaDB's lists. */
const retryableErrnos: ReadonlySet<number> = new Set([
  1021, // ER_DISK_FULL
  1037, // ER_OUTOFMEMORY
  1040, // ER_CON_COUNT_ERROR: too many connections
  1041, // ER_OUT_OF_RESOURCES
  1047, // ER_UNKNOWN_COM_ERROR: Galera, while the node is not ready
  1053, // ER_SERVER_SHUTDOWN
  1105, // ER_UNKNOWN_ERROR: TiDB, for some waits for a lock; Vitess, for most failures
  1114, // ER_RECORD_FILE_FULL
  1129, // ER_HOST_IS_BLOCKED
  1146, // ER_NO_SUCH_TABLE: calls come before the first migration is through
  1180, // ER_ERROR_DURING_COMMIT
  1203, // ER_TOO_MANY_USER_CONNECTIONS
  1205, // ER_LOCK_WAIT_TIMEOUT
  1206, // ER_LOCK_TABLE_FULL
  1213, // ER_LOCK_DEADLOCK
  1226, // ER_USER_LIMIT_REACHED
  1290, // ER_OPTION_PREVENTS_STATEMENT: a replica after a failover
  1317, // ER_QUERY_INTERRUPTED
  1792, // ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION
  1836, // ER_READ_ONLY_MODE
  1927, // ER_CONNECTION_KILLED
  1969, // ER_STATEMENT_TIMEOUT
  3024, // ER_QUERY_TIMEOUT
  4031, // ER_CLIENT_INTERACTION_TIMEOUT
  // TiDB's own: https://docs.pingcap.com/tidb/stable/error-codes
  8002, // a conflict with SELECT FOR UPDATE
  8005, // a write conflict, and so is 9007
  8022, // a commit that failed and was rolled back
  8027, // the schema that this node knows is outdated
  8028, // the schema was changed meanwhile
  8229, // the transaction took too long
  9001, // PD does not answer in time
  9002, // TiKV does not answer in time
  9003, // TiKV is busy
  9004, // locks were not resolved in time
  9005, // a region is not available
  9007,
  9008, // too many requests to one TiKV
  9010, // TiKV cannot take this now
]);

/** What mysql2 says without a code. */
const codeless: Readonly<Record<string, string>> = {
  'Queue limit reached.': 'POOL_FULL',
  'Pool is closed.': 'POOL_CLOSED',
  "Can't add new command when connection is in closed state": 'CONNECTION_CLOSED',
};

/** The driver's error is the innermost: Drizzle wraps it with the statement and its values. */
function innermost(error: unknown): unknown {
  let current = error;
  while (current instanceof Error && current.cause instanceof Error) current = current.cause;
  return current;
}

/** The server's error number; undefined where the server did not answer. */
export function serverErrno(error: unknown): number | undefined {
  const inner = innermost(error);
  if (!(inner instanceof Error) || !('errno' in inner)) return undefined;
  return typeof inner.errno === 'number' && inner.errno > 0 ? inner.errno : undefined;
}

/** mysql2 has no name for a number that neither MySQL nor MariaDB uses. */
function codeOf({ message }: Error, errno: number | undefined): string | undefined {
  return errno === undefined ? codeless[message] : `ERRNO_${errno}`;
}

/** Says what happened in code and number only: no cause, no message, since drivers put values into both. */
export function toStoreError(error: unknown): StoreError {
  const inner = innermost(error);
  if (inner instanceof StoreError) return inner;
  if (!(inner instanceof Error)) return new StoreError('unexpected', 'UNKNOWN');
  const errno = serverErrno(inner);
  const code = 'code' in inner && typeof inner.code === 'string' ? inner.code : codeOf(inner, errno);
  if (code === undefined) return new StoreError('unexpected', 'UNKNOWN');
  // Without a number of the server's the socket broke, or was never there; or Node was called wrongly by one of us.
  const isMistake = inner instanceof TypeError || inner instanceof RangeError;
  const isRetryable = errno === undefined ? !isMistake : retryableErrnos.has(errno);
  return new StoreError(isRetryable ? 'unavailable' : 'unexpected', code, errno);
}
