import { sqliteTable } from 'drizzle-orm/sqlite-core';
import { userColumns } from './schema.ts';

/** Drizzle names every column of a table in its statements: in this one those of the business are not there. */
export const user = sqliteTable('gk_wx_user', userColumns);
