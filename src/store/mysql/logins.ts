import { eq, inArray } from 'drizzle-orm';
import {
  assignedColumns,
  type Logins,
  loginValues,
  perConnection,
  perRowCount,
  placeholders,
  placeholderValues,
  sessionRows,
  sessionsOf,
  userRows,
  usersOf,
} from '../logins.ts';
import type { Db } from './session.ts';
import { gkWxSession as session } from './schema.ts';
import { upsertSet } from './statements.ts';
import { user } from './user-table.ts';

export function createLogins(): Logins<Db> {
  const statementsOf = perConnection(prepare);
  return {
    async save(db, logins) {
      const { usersUpsert, sessionsInsert, usersSelect } = statementsOf(db);
      // Every instance locks the rows in one order: unsorted, many die in deadlocks. The sort is stable, so that of
      // one user's logins the one that came last is written last.
      const sorted = logins.toSorted((a, b) => (a.openId < b.openId ? -1 : a.openId > b.openId ? 1 : 0));
      const openIds = [...new Set(sorted.map(({ openId }) => openId))];
      const users = await db.transaction(async () => {
        await usersUpsert(sorted.length).execute(loginValues(sorted));
        await sessionsInsert(sorted.length).execute(loginValues(sorted));
        return await usersSelect(openIds.length).execute(placeholderValues('openId', openIds));
      });
      return usersOf(logins, users);
    },
    async find(db, tokenHashes) {
      const { sessionsSelect } = statementsOf(db);
      const found = await sessionsSelect(tokenHashes.length).execute(placeholderValues('tokenHash', tokenHashes));
      return sessionsOf(tokenHashes, found);
    },
  };
}

function prepare(db: Db) {
  return {
    usersUpsert: perRowCount((rows) =>
      db
        .insert(user)
        .values(userRows(rows))
        .onDuplicateKeyUpdate({ set: assignedColumns(upsertSet) })
        .prepare(),
    ),
    sessionsInsert: perRowCount((rows) => db.insert(session).values(sessionRows(rows)).prepare()),
    usersSelect: perRowCount((rows) =>
      db
        .select()
        .from(user)
        .where(inArray(user.openId, placeholders('openId', rows)))
        // The transaction holds these rows already. Without the lock, TiDB reads them as they were when it began.
        .for('update')
        .prepare(),
    ),
    sessionsSelect: perRowCount((rows) =>
      db
        .select({ session, user })
        .from(session)
        .innerJoin(user, eq(user.openId, session.openId))
        .where(inArray(session.tokenHash, placeholders('tokenHash', rows)))
        .prepare(),
    ),
  };
}
