import { sql } from 'drizzle-orm';
import { createBatcher } from '../batcher.ts';
import type { LoginWrite, Store, StoreOptions } from '../store.ts';
import { accessTokens } from './access-tokens.ts';
import { accounts } from './accounts.ts';
import { avatars } from './avatars.ts';
import { createLogins } from './logins.ts';
import { countUsers, deleteExpiredSessions, selectUsersAfter, updateSealed } from './maintenance.ts';
import { migrateMysql } from './migrate.ts';
import { openPool, type Pool } from './pool.ts';
import { deadlock, lockWait, nodeNotReady, retryConflicts, unnumbered } from './retry.ts';
import { deleteSession, deleteSessionsOf, selectUser, updateSession } from './statements.ts';
import { verifyTables } from './tables.ts';

/** A store on MySQL, MariaDB or what speaks their protocol. */
export function openMysqlStore({ databaseUrl, timeoutMs, poolSize }: StoreOptions): Store {
  const pool = openPool({ databaseUrl, timeoutMs, poolSize });
  // In the other half of the time the statement that is tried last has its answer.
  const withinMs = timeoutMs / 2;
  const lend: Pool['lend'] = (work) => pool.lend((db) => retryConflicts(() => work(db), { withinMs }));
  const logins = createLogins();
  return {
    saveLogin: createBatcher({
      runBatch: (items: readonly LoginWrite[]) =>
        // A wait for a row that another transaction holds is never repeated: each user is tried alone, see batcher.ts.
        pool.lend((db) =>
          retryConflicts(() => logins.save(db, items), { withinMs, errnos: [deadlock, nodeNotReady, unnumbered] }),
        ),
      mayConcernOneItem: ({ kind, errno }) => kind === 'unexpected' || errno === lockWait || errno === unnumbered,
      keyOf: ({ openId }) => openId,
      maxInFlight: 4,
      timeoutMs,
    }),
    findUser: (openId) => lend((db) => selectUser(db, openId)),
    findSession: createBatcher({
      runBatch: (items: readonly Buffer[]) => lend((db) => logins.find(db, items)),
      maxInFlight: 4,
      timeoutMs,
    }),
    extendSession: (extension) => lend((db) => updateSession(db, extension)),
    deleteSession: (tokenHash) => lend((db) => deleteSession(db, tokenHash)),
    deleteSessionsOf: (openId, now) => lend((db) => deleteSessionsOf(db, openId, now)),
    deleteExpiredSessions: (now, limit) => lend((db) => deleteExpiredSessions(db, now, limit)),
    countUsers: () => lend(countUsers),
    listUsers: (afterOpenId, limit) => lend((db) => selectUsersAfter(db, afterOpenId, limit)),
    reseal: (changes) =>
      lend((db) =>
        db.transaction(async (tx) => {
          let changed = 0;
          for (const change of changes) changed += (await updateSealed(tx, change)) ? 1 : 0;
          return changed;
        }),
      ),
    ...accounts(lend),
    ...avatars(lend),
    ...accessTokens(lend),
    migrate: () => migrateMysql({ databaseUrl }),
    verifyTables: () => lend(verifyTables),
    ping: () =>
      pool.lend(async (db) => {
        await db.execute(sql`select 1`);
      }),
    poolStats: () => pool.stats(),
    close: () => pool.close(),
  };
}
