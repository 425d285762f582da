import type { InValue, Row } from '@libsql/client';
import { eq, fillPlaceholders, getTableColumns, inArray, type Query } from 'drizzle-orm';
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
import type { User } from '../store.ts';
import type { Db } from './connection.ts';
import { gkWxSession as session } from './schema.ts';
import { upsertSet } from './statements.ts';
import { user } from './user-table.ts';

export function createLogins(): Logins<Db> {
  const statementsOf = perConnection(prepare);
  return {
    async save(db, logins) {
      const { usersUpsert, sessionsInsert, usersSelect } = statementsOf(db);
      const values = loginValues(logins);
      const openIds = [...new Set(logins.map(({ openId }) => openId))];
      // The driver's batch: Drizzle's own builds its statements anew.
      const [, , users] = await db.$client.batch([
        filled(usersUpsert(logins.length), values),
        filled(sessionsInsert(logins.length), values),
        filled(usersSelect(openIds.length), placeholderValues('openId', openIds)),
      ]);
      return usersOf(logins, users?.rows.map(toUser) ?? []);
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
        .onConflictDoUpdate({ target: user.openId, set: assignedColumns(upsertSet) })
        .toSQL(),
    ),
    sessionsInsert: perRowCount((rows) => db.insert(session).values(sessionRows(rows)).toSQL()),
    usersSelect: perRowCount((rows) =>
      db
        .select()
        .from(user)
        .where(inArray(user.openId, placeholders('openId', rows)))
        .toSQL(),
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

function filled({ sql, params }: Query, values: Record<string, unknown>) {
  return { sql, args: fillPlaceholders(params, values) as InValue[] };
}

const fields = Object.keys(getTableColumns(user));

/** A row of a select of the whole table: its columns are text and numbers, which libsql gives as they are. */
function toUser(row: Row): User {
  return Object.fromEntries(fields.map((field, index) => [field, row[index]])) as unknown as User;
}
