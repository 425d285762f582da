import { mysqlTable } from 'drizzle-orm/mysql-core';
import { userColumns } from './schema.ts';

/** Drizzle names every column of a table in its statements: in this one those of the business are not there. */
export const user = mysqlTable('gk_wx_user', userColumns);
