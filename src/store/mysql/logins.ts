import { eq, inArray } from 'drizzle-orm';
import {
  byRows,
  each,
  type Logins,
  numbered,
  perConnection,
  sessionRows,
  sessionsOf,
  userRows,
  usersOf,
  valuesOf,
} from '../logins.ts';
import type { Db } from './session.ts';
import { gkWxSession as session } from './schema.ts';
import { merged } from './statements.ts';
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
        await usersUpsert(sorted.length).execute(valuesOf(sorted));
        await sessionsInsert(sorted.length).execute(valuesOf(sorted));
        return await usersSelect(openIds.length).execute(numbered('openId', openIds));
      });
      return usersOf(logins, users);
    },
    async find(db, tokenHashes) {
      const { sessionsSelect } = statementsOf(db);
      const found = await sessionsSelect(tokenHashes.length).execute(numbered('tokenHash', tokenHashes));
      return sessionsOf(tokenHashes, found);
    },
  };
}

function prepare(db: Db) {
  return {
    usersUpsert: byRows((rows) =>
      db.insert(user).values(userRows(rows)).onDuplicateKeyUpdate({ set: merged }).prepare(),
    ),
    sessionsInsert: byRows((rows) => db.insert(session).values(sessionRows(rows)).prepare()),
    usersSelect: byRows((rows) =>
      db
        .select()
        .from(user)
        .where(inArray(user.openId, each('openId', rows)))
        .prepare(),
    ),
    sessionsSelect: byRows((rows) =>
      db
        .select({ session, user })
        .from(session)
        .innerJoin(user, eq(user.openId, session.openId))
        .where(inArray(session.tokenHash, each('tokenHash', rows)))
        .prepare(),
    ),
  };
}
