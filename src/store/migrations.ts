import { fileURLToPath } from 'node:url';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import { StoreError } from './store.ts';

export interface Migration {
  statements: readonly string[];
  /** When it was generated, which is also its order: Unix milliseconds. */
  createdAt: number;
  hash: string;
  /** The tables that it creates. */
  tables: readonly string[];
}

/** Drizzle's own journal, so that `drizzle-kit migrate` and our migrator continue one another's work. */
export const journalTable = '__drizzle_migrations';

/** The migrations under drizzle/, oldest first; the folder stands beside src/ and dist/ alike. */
export function readMigrations(
  dialect: 'mysql' | 'sqlite',
  folder = fileURLToPath(new URL(`../../drizzle/${dialect}`, import.meta.url)),
): Migration[] {
  return readMigrationFiles({ migrationsFolder: folder }).map(({ sql, folderMillis, hash }) => ({
    statements: sql.filter((statement) => statement.trim() !== ''),
    createdAt: folderMillis,
    hash,
    tables: sql.flatMap((statement) => /^\s*CREATE TABLE [`"]([^`"]+)[`"]/i.exec(statement)?.[1] ?? []),
  }));
}

/** A table of the same name that we did not make is somebody's: the article's own, perhaps, with users in it. */
export function foreignTable(table: string, remedy = 'rename it, or use another database'): StoreError {
  const explanation = `the table ${table} is there already and guoke did not make it: ${remedy}`;
  return new StoreError('unexpected', 'TABLE_IN_THE_WAY', undefined, explanation);
}
