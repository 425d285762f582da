import type { InValue, Row } from '@libsql/client';
import { eq, fillPlaceholders, getTableColumns, inArray, type Query } from 'drizzle-orm';
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
import type { User } from '../store.ts';
import type { Db } from './connection.ts';
import { gkWxSession as session } from './schema.ts';
import { merged } from './statements.ts';
import { user } from './user-table.ts';

export function createLogins(): Logins<Db> {
  const statementsOf = perConnection(prepare);
  return {
    async save(db, logins) {
      const { usersUpsert, sessionsInsert, usersSelect } = statementsOf(db);
      const values = valuesOf(logins);
      const openIds = [...new Set(logins.map(({ openId }) => openId))];
      // The driver's batch: Drizzle's own builds its statements anew.
      const [, , users] = await db.$client.batch([
        filled(usersUpsert(logins.length), values),
        filled(sessionsInsert(logins.length), values),
        filled(usersSelect(openIds.length), numbered('openId', openIds)),
      ]);
      return usersOf(logins, users?.rows.map(toUser) ?? []);
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
      db.insert(user).values(userRows(rows)).onConflictDoUpdate({ target: user.openId, set: merged }).toSQL(),
    ),
    sessionsInsert: byRows((rows) => db.insert(session).values(sessionRows(rows)).toSQL()),
    usersSelect: byRows((rows) =>
      db
        .select()
        .from(user)
        .where(inArray(user.openId, each('openId', rows)))
        .toSQL(),
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

function filled({ sql, params }: Query, values: Record<string, unknown>) {
  return { sql, args: fillPlaceholders(params, values) as InValue[] };
}

const fields = Object.keys(getTableColumns(user));

/** A row of a select of the whole table: its columns are text and numbers, which libsql gives as they are. */
function toUser(row: Row): User {
  return Object.fromEntries(fields.map((field, index) => [field, row[index]])) as unknown as User;
}
