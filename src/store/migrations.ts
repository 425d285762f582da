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

/**
 * Our journal, in the shape of Drizzle's, so that `drizzle-kit migrate` and our migrator continue one another's work. Drizzle's
 * default name is not ours alone: another application in the same database writes its own migrations there.
 */
export const journalTable = '__guoke_migrations';

/** Where version 0.1 kept its journal. Its rows are carried over by their hashes, and stay where they are. */
export const earlierJournalTable = '__drizzle_migrations';

/** The migrations under drizzle/, oldest first; the folder stands beside src/ and dist/ alike. */
export function readMigrations(dialect: 'mysql' | 'sqlite'): Migration[] {
  const migrationsFolder = fileURLToPath(new URL(`../../drizzle/${dialect}`, import.meta.url));
  return readMigrationFiles({ migrationsFolder }).map(({ sql, folderMillis, hash }) => ({
    statements: sql.filter((statement) => statement.trim() !== ''),
    createdAt: folderMillis,
    hash,
    tables: sql.flatMap((statement) => /^\s*CREATE TABLE [`"]([^`"]+)[`"]/i.exec(statement)?.[1] ?? []),
  }));
}

/** Stands in the target of `guoke copy` until the copy is whole: how far it has come. */
export const copyProgressTable = '__guoke_copy';

/** The next run of the copy would replace what a server wrote meanwhile, so that none may serve. */
export function unfinishedCopy(): StoreError {
  const explanation = 'a copy into this database is not finished: run guoke copy again';
  return new StoreError('unavailable', 'COPY_UNFINISHED', undefined, explanation);
}

/** Another instance may be making the tables at this moment, so the database counts as unavailable. */
export function missingTables(names: readonly string[]): StoreError {
  const explanation = `there is no ${listed(names, ', ')}: run guoke migrate, or set MIGRATE_ON_START=true`;
  return new StoreError('unavailable', 'TABLES_MISSING', undefined, explanation);
}

/** How many things a message names. */
const maxListed = 3;

export function listed(all: readonly string[], separator: string): string {
  const named = all.slice(0, maxListed).join(separator);
  return all.length > maxListed ? `${named}${separator}and ${all.length - maxListed} more` : named;
}

/** A table of our name that we did not make may hold users: the tutorial's own table has that name. */
export function foreignTable(table: string, remedy = 'rename it, or use another database'): StoreError {
  const explanation = `the table ${table} is there already and guoke did not make it: ${remedy}`;
  return new StoreError('unexpected', 'TABLE_IN_THE_WAY', undefined, explanation);
}
