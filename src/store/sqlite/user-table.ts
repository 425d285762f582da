import { sqliteTable } from 'drizzle-orm/sqlite-core';
import { userColumns } from './schema.ts';

/**
 * The user's table as our statements use it, without the columns of the business: Drizzle names every column of a table.
 * It stands apart from the schema, which drizzle-kit reads: two tables of one name there would be a conflict.
 */
export const user = sqliteTable('gk_wx_user', userColumns);
